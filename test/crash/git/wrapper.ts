/** A `git` put in front of the real one: it counts commands and makes one of them the last thing a runner ever did. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `before`: the runner dies and git never starts. `after`: git did all, the runner dies before it hears of it. `write`:
 * git dies when a file of it grows past so many bytes. `rename`: git dies when it wants to put the so-manieth file in its
 * place, which leaves lock files and half packs. `full`: the disk takes no byte from this command, and nobody dies.
 */
export type KillKind = 'before' | 'after' | 'write' | 'rename' | 'full';

export interface Kill {
  readonly kind: KillKind;
  /** The how-manieth git command since it was armed, from 1. */
  readonly at: number;
  /** Bytes, or the number of the rename; unused for the others. */
  readonly arg: number;
}

const RENAMES = 'rename,renameat,renameat2,link,linkat';

/** Linux tools that kill in the middle; without them there is only before and after. */
export const canKillInside = (): boolean => {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'ignore' });
    execFileSync('prlimit', ['--fsize=1', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

export class GitTrap {
  /** To be put in front of PATH. */
  readonly bin: string;
  readonly #dir: string;

  constructor(folder: string) {
    this.#dir = join(folder, 'trap');
    this.bin = join(this.#dir, 'bin');
    mkdirSync(this.bin, { recursive: true });
    const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
    const path = join(this.bin, 'git');
    writeFileSync(path, script(this.#dir, real));
    chmodSync(path, 0o755);
    this.arm(null);
  }

  #file(name: string): string {
    return join(this.#dir, name);
  }

  /** The only process that the trap kills. */
  set runner(pid: number) {
    writeFileSync(this.#file('runner'), String(pid));
  }

  arm(kill: Kill | null): void {
    rmSync(this.#file('sprung'), { force: true });
    writeFileSync(this.#file('count'), '0');
    writeFileSync(this.#file('log'), '');
    writeFileSync(
      this.#file('armed'),
      kill === null ? '0 none 0' : `${String(kill.at)} ${kill.kind} ${String(kill.arg)}`,
    );
  }

  get sprung(): boolean {
    return existsSync(this.#file('sprung'));
  }

  /** Commands since it was armed, in order. */
  get commands(): readonly string[] {
    return readFileSync(this.#file('log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  }
}

function script(dir: string, real: string): string {
  return `#!/bin/sh
exec 9>'${dir}/lock'
flock 9
n=$(($(cat '${dir}/count') + 1))
echo "$n" >'${dir}/count'
for word in "$@"; do case "$word" in -c|--git-dir=*|--work-tree=*|*=*) ;; *) break ;; esac; done
echo "$n $word" >>'${dir}/log'
read -r at kind arg <'${dir}/armed'
exec 9>&-
[ "$n" = "$at" ] || exec '${real}' "$@"
: >'${dir}/sprung'
ulimit -c 0
die() { kill -9 "$(cat '${dir}/runner')"; exit 137; }
case "$kind" in
  before) die ;;
  after) '${real}' "$@"; die ;;
  write) prlimit --fsize="$arg" '${real}' "$@"; die ;;
  rename) strace -f -qq -o /dev/null -e trace=${RENAMES} -e inject=${RENAMES}:signal=SIGKILL:when="$arg" '${real}' "$@"; die ;;
  full) trap '' XFSZ; exec prlimit --fsize=0 '${real}' "$@" ;;
esac
`;
}
