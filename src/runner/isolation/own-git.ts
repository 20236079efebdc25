import { copyFile, lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { GitError } from '../git/git.ts';
import { NO_PUSH } from '../git/clone-settings.ts';
import type { Worktree } from '../git/worktree.ts';

/** The git directory that one isolated attempt has for itself. */
export interface OwnGit {
  /** Where it lies. */
  readonly dir: string;
  /** Where it appears inside: what the worktree's `.git` file names, so that the same file is right on both sides. */
  readonly link: string;
  /** The rig's objects, to read. */
  readonly objects: string;
  readonly worktree: string;
}

/**
 * A whole repository of the attempt's own: settings, hooks, refs and new objects are its own, older objects are read from
 * the rig's clone. Nothing that is written into it is seen by anybody but the runner, which takes commits out of it by
 * their ids. Written file by file: it costs no process. The worktree is at its start commit and clean.
 */
export async function makeOwnGit(
  own: OwnGit,
  tree: Worktree,
  start: { readonly commit: string; readonly url: string; readonly target: { branch: string; sha: string } },
): Promise<void> {
  const tracking = join(own.dir, 'refs', 'remotes', 'origin', start.target.branch);
  for (const folder of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags', 'info', 'logs'])
    await mkdir(join(own.dir, folder), { recursive: true, mode: 0o700 });
  await mkdir(dirname(tracking), { recursive: true });
  await writeFile(tracking, `${start.target.sha}\n`);
  await writeFile(join(own.dir, 'HEAD'), `${start.commit}\n`);
  await writeFile(join(own.dir, 'logs', 'HEAD'), '');
  await writeFile(join(own.dir, 'objects', 'info', 'alternates'), `${own.objects}\n`);
  await writeFile(join(own.dir, 'config'), settings(start.url));
  // Says where the worktree is, as in a linked one: so it is looked for in the same way.
  await writeFile(join(own.dir, 'gitdir'), `${join(own.worktree, '.git')}\n`);
  // With what git knows of the files already, the first look at 50,000 of them costs nothing.
  await copyFile(join(tree.place.gitDir, 'index'), join(own.dir, 'index'));
  await copyFile(join(dirname(dirname(own.link)), 'info', 'exclude'), join(own.dir, 'info', 'exclude')).catch(
    () => undefined,
  );
}

/** What a git directory is led elsewhere by, or told to run or fetch by. */
const LEADS = ['config', 'config.worktree', 'commondir', 'objects/info/alternates', 'objects/info/http-alternates'];
const FOLDERS = ['objects', 'objects/info', 'objects/pack', 'refs'];

/**
 * Writes the settings and the way to older objects anew, before git reads such a directory outside of a sandbox: a
 * promisor remote would be fetched from, and alternates may lead to any repository of this machine. Removed first: a link
 * would be written through. What the agent does while git reads is not held off by this. Errors: `GitError`, when a
 * folder is a link.
 */
export async function resetOwnGit(own: Pick<OwnGit, 'dir' | 'objects'>): Promise<void> {
  for (const folder of FOLDERS) {
    const stat = await lstat(join(own.dir, folder)).catch(() => null);
    if (stat !== null && !stat.isDirectory())
      throw new GitError('look', null, `${folder} of the agent's git directory is no folder`);
  }
  for (const name of LEADS) await rm(join(own.dir, name), { recursive: true, force: true });
  await mkdir(join(own.dir, 'objects', 'info'), { recursive: true, mode: 0o700 });
  await writeFile(join(own.dir, 'objects', 'info', 'alternates'), `${own.objects}\n`, { flag: 'wx' });
  await writeFile(join(own.dir, 'config'), BASICS, { flag: 'wx' });
}

const BASICS = `[core]
\trepositoryformatversion = 0
\tbare = false
\tlogAllRefUpdates = true
[gc]
\tauto = 0
`;

const settings = (url: string): string => `${BASICS}[remote "origin"]
\turl = ${JSON.stringify(url)}
\tpushurl = ${JSON.stringify(NO_PUSH)}
\tfetch = +refs/heads/*:refs/remotes/origin/*
`;
