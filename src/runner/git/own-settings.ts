import { existsSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { randomBytes } from 'node:crypto';

/** What agents and runner share of a clone. Settings, attributes and grafts are not among it. */
const SHARED = ['objects', 'refs', 'packed-refs', 'logs', 'worktrees'];
/** Made beforehand: a link to a missing folder would be in git's way. */
const FOLDERS = ['refs', 'logs', 'worktrees', 'info'];

const SETTINGS = `[core]
\trepositoryformatversion = 0
\tbare = true
\tlogallrefupdates = true
`;

/** Where the runner's own settings of a clone lie: beside it, so that no worktree's git ever finds them. */
export const ownSettings = (gitDir: string): string => gitDir.replace(/\.git$/, '.own');

export const hasOwnSettings = (gitDir: string): boolean => existsSync(join(ownSettings(gitDir), 'config'));

/**
 * A second common folder for the same clone: objects and refs are links, the settings are ours. Agents configure the
 * shared clone from their worktrees (filters, merge drivers, commands for ssh); git that the runner runs reads this one,
 * so nothing of theirs is run or talked to by us. Made under another name first: it is whole or not there.
 */
export async function makeOwnSettings(gitDir: string): Promise<void> {
  if (hasOwnSettings(gitDir)) return;
  for (const folder of FOLDERS) await mkdir(join(gitDir, folder), { recursive: true });
  const own = ownSettings(gitDir);
  const temporary = `${own}-${randomBytes(4).toString('hex')}`;
  await mkdir(join(temporary, 'info'), { recursive: true, mode: 0o700 });
  const clone = join('..', basename(gitDir));
  for (const name of SHARED) await symlink(join(clone, name), join(temporary, name));
  // What is ignored is no setting that runs anything: whoever excludes a file here means it.
  await symlink(join('..', clone, 'info', 'exclude'), join(temporary, 'info', 'exclude'));
  await writeFile(join(temporary, 'HEAD'), 'ref: refs/heads/none\n');
  await writeFile(join(temporary, 'config'), SETTINGS);
  await rm(own, { recursive: true, force: true });
  await rename(temporary, own).catch(async (error: unknown) => {
    await rm(temporary, { recursive: true, force: true });
    if (!hasOwnSettings(gitDir)) throw error;
  });
}
