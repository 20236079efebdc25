/** A town whose rig merges by pull requests, beside a code host in memory. */
import { DEFAULT_MERGING, DEFAULT_PULL, type PullPolicy, type RigConfig } from '../../src/core/commands.ts';
import type { Job, JobResult } from '../../src/core/facts.ts';
import type { BeadId } from '../../src/core/model/ids.ts';
import type { ForgeLater } from '../../src/ports/forge.ts';
import { defaultResult, sha } from './fake-runner.ts';
import { MemoryForge } from './memory-forge.ts';
import { finish, sling } from './town-story.ts';
import { rigConfig, VirtualTown } from './virtual-town.ts';

const later: ForgeLater = { state: 'later', error: 'no answer', retryAfterMs: null };
export const settings = (pull: Partial<PullPolicy> = {}): Partial<RigConfig> => ({
  gates: [],
  forge: { kind: 'github', apiUrl: 'https://api.forge.test', project: 'acme/api', token: 'env:TOKEN' },
  merging: { ...DEFAULT_MERGING, strategy: 'pr', pull: { ...DEFAULT_PULL, ...pull } },
});

export class Story {
  readonly branches = new Map<string, string>();
  /** What the target holds. */
  readonly target = new Set<string>([sha(1)]);
  readonly forge: MemoryForge = new MemoryForge({
    head: (branch) => this.branches.get(branch) ?? null,
    merge: (_base, head, style) => {
      const mergeSha = style === 'merge' ? sha(0xd000 + this.target.size) : sha(0xe000 + this.target.size);
      this.target.add(mergeSha);
      if (style === 'merge') this.target.add(head);
      return mergeSha;
    },
  });
  /** Set: the host does not answer. `lost`: it does what it is asked for, and the answer is lost. */
  silent: 'no' | 'silent' | 'lost' = 'no';
  /** The same, of being asked to merge alone. */
  silentMerges: 'no' | 'silent' | 'lost' = 'no';
  readonly town: VirtualTown;

  constructor() {
    const call = async <T>(ask: () => Promise<T>, how = this.silent): Promise<T | ForgeLater> => {
      if (how === 'silent') return later;
      const answer = await ask();
      return how === 'lost' ? later : answer;
    };
    const forge = {
      open: (request: Parameters<MemoryForge['open']>[0]) => call(() => this.forge.open(request)),
      look: (...args: Parameters<MemoryForge['look']>) => call(() => this.forge.look(...args)),
      merge: (request: Parameters<MemoryForge['merge']>[0]) =>
        call(() => this.forge.merge(request), this.silentMerges === 'no' ? this.silent : this.silentMerges),
      close: (request: Parameters<MemoryForge['close']>[0]) => call(() => this.forge.close(request)),
    };
    this.town = new VirtualTown({
      ports: (plain) => ({ ...plain, forge }),
      handOver: async (runner) => {
        await this.town.service.recordFacts(runner.facts.splice(0));
      },
    });
    this.town.runner.judge = (job) => this.judge(job);
  }

  judge(job: Job): JobResult | null {
    if (job.kind === 'promote') this.branches.set(job.branch, job.head);
    if (job.kind !== 'merge') return defaultResult(job);
    const there = [job.earlierCandidate, job.head].find((one) => one !== null && this.target.has(one));
    return there === undefined || there === null
      ? defaultResult(job)
      : { result: 'already_merged', targetSha: sha(0xd000 + this.target.size), mergeSha: there };
  }

  async start(over: Partial<RigConfig> = {}, pull: Partial<PullPolicy> = {}): Promise<void> {
    await this.town.service.start([rigConfig('api', { ...settings(pull), ...over })]);
    await this.town.settle();
  }

  /** A bead whose agent is done, with its pull request open. */
  async proposed(title = 'one', head = 100): Promise<BeadId> {
    const id = await sling(this.town, title);
    await finish(this.town, id, head);
    return id;
  }
}
