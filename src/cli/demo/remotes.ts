import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TownError } from '../../core/errors.ts';
import { git } from '../../hosts/node/git.ts';
import type { DemoRepository } from './repositories.ts';

const AUTHOR = ['-c', 'user.name=Demo', '-c', 'user.email=demo@localhost'];

/** Makes a bare repository with one commit. Errors: `demo_git_failed`. */
export async function makeRemote(folder: string, repository: DemoRepository): Promise<string> {
  const bare = join(folder, `${repository.name}.git`);
  const seed = join(folder, `${repository.name}-seed`);
  for (const [file, text] of Object.entries(repository.files)) {
    mkdirSync(dirname(join(seed, file)), { recursive: true });
    writeFileSync(join(seed, file), text);
  }
  await run(['init', '-q', '--bare', '-b', 'main', bare]);
  await run(['init', '-q', '-b', 'main', seed]);
  await run(['add', '-A'], seed);
  await run([...AUTHOR, 'commit', '-q', '-m', `Start of ${repository.name}`], seed);
  await run(['push', '-q', bare, 'main'], seed);
  rmSync(seed, { recursive: true });
  return bare;
}

/** What a person would look at: the history of the target, drawn. */
export const graph = (bare: string): Promise<string> =>
  run(['--git-dir', bare, 'log', '--graph', '--pretty=format:%h %s (%an)', 'main']);

async function run(args: readonly string[], cwd?: string): Promise<string> {
  const answer = await git(args, cwd);
  if (answer.ok) return answer.stdout;
  throw new TownError('internal', 'demo_git_failed', {
    message: `git ${args[0] ?? ''} failed: ${answer.stderr.trim()}`,
    next: 'Check that git works on this machine: gt doctor',
  });
}
