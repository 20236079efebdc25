/** The code host of rigs with pull requests: a state machine behind a port that loses, delays and repeats what it says. */
import { MemoryForge } from '../test/support/memory-forge.ts';
import type { PullRequest } from '../src/core/model/pull-request.ts';
import type { Forge, ForgeAnswer, ForgeLater, MergePullRequest } from '../src/ports/forge.ts';
import { PLAIN, type GitModel } from './git-model.ts';
import { IN_TIME, repoOf, type Late, type Sim } from './context.ts';
import { Violation } from './ledger.ts';
import type { Prng } from './prng.ts';

const SECOND = 1_000;
/** As long as a call of the real host takes before it is given up. */
const TIMEOUT_MS = 10 * SECOND;
/** How often people and checks do something there while the storm lasts. */
const BUSY_MS = 8 * SECOND;
/** … and how often somebody looks after what is left when it is over. */
/** So often people only reopen the last one of a branch. */
const TIDY_LAST_MAX = 4;
const TIDY_MS = 5 * 60 * SECOND;
const TIDY_MAX = 60;

const later = (retryAfterMs: number | null): ForgeLater => ({
  state: 'later',
  error: 'the forge says nothing',
  retryAfterMs,
});

/** What a rig asks of a pull request, so that the host can tell whether it was right to merge. */
export interface Asked {
  readonly approvals: number;
}

export class SimForge {
  readonly #sim: Sim;
  readonly #rig: string;
  readonly #chance: Prng;
  readonly #host: MemoryForge;
  /** What looks may show again, by number: how it was before its last change. */
  readonly #stale = new Map<number, PullRequest>();
  /** What people opened again: that it stays open is their doing. */
  readonly #reopened = new Set<number>();
  /** Called merged though they were open: a host is believed, and what is merged nobody closes. */
  readonly #lied = new Set<number>();
  #tidied = 0;

  constructor(sim: Sim, rig: string) {
    this.#sim = sim;
    this.#rig = rig;
    this.#chance = sim.chance(`forge ${rig}`);
    this.#host = new MemoryForge({
      head: (branch) => repoOf(sim, rig).head(branch),
      merge: (base, head, style) => this.#merge(base, head, style),
      holds: (base, head) => {
        const repo = repoOf(sim, rig);
        const at = repo.head(base);
        return at !== null && repo.isAncestor(head, at);
      },
    });
    this.#busy();
  }

  /** The line of one process of the brain; what arrives after its death is nobody's. */
  client(mine: { readonly alive: boolean }, approvals: () => number): Forge {
    const call = <T>(label: string, apply: () => Promise<T>): Promise<T | ForgeLater> => this.#call(mine, label, apply);
    return {
      open: (request) =>
        this.#call(mine, `open ${request.head}`, () => this.#host.open(request), this.#opens(request.head)),
      look: (ref, tag) => call(`look ${String(ref.number)}`, () => this.#look(ref, tag)),
      close: (request) => call(`close ${String(request.number ?? request.head)}`, () => this.#host.close(request)),
      merge: (request) => call(`merge ${String(request.ref.number)}`, () => this.#asked(request, approvals())),
    };
  }

  /** Branches whose pull request is open. */
  get open(): readonly string[] {
    return this.#host.pulls.filter(({ state }) => state === 'open').map(({ head }) => head);
  }

  /** Somebody merges what is open for a branch, as it is. */
  mergeOpen(branch: string): void {
    const pull = this.#host.pulls.find(({ head, state }) => head === branch && state === 'open');
    if (pull === undefined) return;
    const isDone = this.#host.mergeByHand(pull.number);
    this.#sim.note(`forge ${this.#rig}: early merge of #${String(pull.number)}: ${String(isDone)}`);
  }

  /** Whether the host merged something of a branch, or said so. */
  hasMerged(branch: string): boolean {
    return this.#host.pulls.some(
      ({ head, state, number }) => head === branch && (state === 'merged' || this.#lied.has(number)),
    );
  }

  #opens(branch: string): Late {
    const { atOpen } = this.#sim;
    const act = atOpen.next;
    if (act === null || !this.#sim.storm()) return IN_TIME;
    atOpen.next = null;
    return act(branch);
  }

  #call<T>(
    ...[mine, label, apply, late = IN_TIME]: [{ readonly alive: boolean }, string, () => Promise<T>, Late?]
  ): Promise<T | ForgeLater> {
    const { time, weather } = this.#sim;
    return new Promise((resolve) => {
      const settle = (value: T | ForgeLater): void => {
        if (mine.alive) resolve(value);
      };
      if (!mine.alive) return;
      if (weather.hits('forge_limit')) {
        time.after(50, `the forge limits ${label}`, () => {
          settle(later(this.#chance.between(SECOND, 90 * SECOND)));
        });
        return;
      }
      const delayMs = weather.hits('forge_slow')
        ? this.#chance.between(SECOND, 2 * TIMEOUT_MS)
        : this.#chance.between(5, 200);
      time.after(delayMs + late.heardMs, `to the forge: ${label}`, () => {
        if (weather.hits('forge_down')) return;
        void apply().then((value) => {
          if (weather.hits('forge_answer')) return;
          if (late.saidMs === 0) settle(value);
          else
            time.after(late.saidMs, `from the forge: ${label}`, () => {
              settle(value);
            });
        });
      });
      time.after(TIMEOUT_MS, `timeout of the forge: ${label}`, () => {
        settle(later(null));
      });
    });
  }

  async #look(...[ref, tag]: Parameters<Forge['look']>): Promise<ForgeAnswer | { readonly state: 'unchanged' }> {
    const answer = await this.#host.look(ref, tag);
    if (answer.state !== 'ok') return answer;
    const before = this.#stale.get(ref.number);
    this.#stale.set(ref.number, answer.pullRequest);
    // An answer that is wrong: nobody merged it.
    if (answer.pullRequest.state === 'open' && this.#sim.weather.hits('forge_wrong')) {
      this.#lied.add(ref.number);
      return { state: 'ok', pullRequest: { ...answer.pullRequest, state: 'merged', tag: 'wrong' } };
    }
    // A copy that lags: it is true of a moment before, and its tag is as old.
    if (before !== undefined && this.#sim.weather.hits('forge_stale')) return { state: 'ok', pullRequest: before };
    return answer;
  }

  /** F1: nothing is merged that nobody approved; F2: nor what somebody asked to be changed. */
  async #asked(request: MergePullRequest, approvals: number): Promise<ForgeAnswer> {
    const pull = this.#host.pulls.find(({ number }) => number === request.ref.number);
    const isAsked = pull?.state === 'open' && pull.headSha === request.expectedHead;
    const isDoubtful = this.#sim.weather.isAbout('forge_stale') || this.#sim.weather.isAbout('forge_slow');
    if (isAsked && !isDoubtful) {
      if (pull.approvals < approvals)
        throw new Violation(
          'F1',
          `#${String(pull.number)} of ${this.#rig} is merged with ${String(pull.approvals)} approvals`,
        );
      if (pull.checks.state !== 'green')
        throw new Violation(
          'F2',
          `#${String(pull.number)} of ${this.#rig} is merged with checks that are ${pull.checks.state}`,
        );
    }
    const answer = await this.#host.merge(request);
    if (isAsked && pull.state === 'merged') this.#sim.ledger.mergedForUs.add(pull.head.slice('gt/'.length));
    return answer;
  }

  /** F3: nothing of cancelled work stays open without a word, and one word is enough. */
  checkClosed(isCancelled: (mergeRequest: string) => boolean): void {
    for (const { number, state, comments, openedAs } of this.#host.pulls) {
      const [, mergeRequest = ''] = /Gt-Merge-Request: (\S+)/.exec(openedAs.body) ?? [];
      const isForgotten =
        state === 'open' && comments.length === 0 && !this.#reopened.has(number) && !this.#lied.has(number);
      if (isForgotten && isCancelled(mergeRequest))
        throw new Violation('F3', `#${String(number)} of ${this.#rig} is open, and ${mergeRequest} was cancelled`);
      if (new Set(comments).size < comments.length)
        throw new Violation('F3', `#${String(number)} of ${this.#rig} has the same comment twice`);
    }
  }

  #merge(base: string, head: string, style: string): string | null {
    const repo = repoOf(this.#sim, this.#rig);
    const before = repo.head(base);
    if (before === null || repo.conflicts(before, head).length > 0) return null;
    const salt = `${style} by the forge ${head}`;
    const made =
      style === 'merge'
        ? repo.commit({ ...PLAIN, parents: [before, head], by: 'person', bead: null, salt }).id
        : squashed(repo, { head, on: before, salt });
    repo.branches.set(base, made);
    this.#sim.ledger.targetMoved(this.#rig, repo, before, made);
    return made;
  }

  /** People, checks and the host do something to some open pull request. */
  #busy(): void {
    if (!this.#sim.storm()) {
      this.#tidy();
      return;
    }
    this.#sim.time.after(this.#chance.between(SECOND, BUSY_MS), 'somebody is at the forge', () => {
      // Mostly what is open; now and then somebody reopens what was closed.
      const isReopened = this.#chance.chance(0.1);
      const open = this.#host.pulls.filter(({ state }) => state === (isReopened ? 'closed' : 'open'));
      const number = this.#chance.pick(open)?.number;
      if (number !== undefined && this.#sim.storm()) {
        if (isReopened) this.#reopen(number);
        else this.#act(number);
      }
      this.#busy();
    });
  }

  /** Only the newest of a branch, as a host has it: two can't be open. */
  #reopen(number: number): void {
    const pull = this.#host.get(number);
    const isNewest = this.#host.pulls.every((one) => one.head !== pull.head || one.number <= number);
    const headSha = repoOf(this.#sim, this.#rig).head(pull.head);
    if (!isNewest || headSha === null) return;
    this.#reopened.add(number);
    this.#host.set(number, { state: 'open', headSha });
  }

  #act(number: number): void {
    const pull = this.#host.get(number);
    const kind = this.#chance.weighted({
      approve: 5,
      green: 3,
      red: 3,
      running: 2,
      changes: 3,
      thread: 2,
      content: 3,
      close: 2,
      merge: 2,
      conflict: 2,
      reset: 1,
      push: 2,
      base: 1,
      drop: 1,
      draft: 1,
      unknown: 1,
    });
    this.#sim.note(`forge ${this.#rig}: ${kind} #${String(number)}`);
    const verbs: Readonly<Record<typeof kind, () => void>> = {
      approve: () => {
        this.#host.approve(number);
      },
      green: () => {
        this.#host.set(number, { checks: { state: 'green', failing: [] }, mergeable: 'clean' });
      },
      running: () => {
        this.#host.set(number, { checks: { state: 'running', failing: [] }, mergeable: 'clean' });
      },
      red: () => {
        this.#host.set(number, { checks: { state: 'red', failing: [{ name: 'ci', url: null, text: 'it failed' }] } });
      },
      changes: () => {
        this.#host.requestChanges(number, { by: 'ann', body: `please ${String(this.#chance.int(1_000))}` });
      },
      thread: () => {
        const id = `t${String(this.#chance.int(1_000))}`;
        this.#host.set(number, { threads: [{ id, path: 'a.ts', line: 1, by: 'bob', body: 'why?', last: null }] });
      },
      close: () => {
        this.#host.set(number, { state: 'closed' });
      },
      merge: () => {
        this.#host.mergeByHand(number, this.#chance.chance(0.5) ? 'merge' : 'squash');
      },
      push: () => {
        this.#push(pull.head);
      },
      drop: () => {
        repoOf(this.#sim, this.#rig).branches.delete(pull.head);
      },
      base: () => {
        this.#host.set(number, { base: 'release' });
      },
      draft: () => {
        this.#host.set(number, { isDraft: true });
      },
      conflict: () => {
        this.#host.set(number, { mergeable: 'conflict' });
      },
      reset: () => {
        this.empty(pull.head);
      },
      unknown: () => {
        this.#host.set(number, { mergeable: 'unknown', checks: { state: 'unknown', failing: [] } });
      },
      content: () => {
        this.#content(number);
      },
    };
    verbs[kind]();
  }

  /** Somebody pushes the target's own commit over the branch: nothing of the work is left on it. */
  empty(branch: string): void {
    const repo = repoOf(this.#sim, this.#rig);
    if (branch.startsWith('gt/hq-')) return;
    const lineage = branch.slice('gt/'.length);
    this.#sim.ledger.discarded.add(lineage);
    this.#sim.ledger.emptied.set(lineage, repo.mustHead());
    repo.branches.set(branch, repo.mustHead());
  }

  /** Somebody pushes to the branch of a pull request. */
  #push(branch: string): void {
    const repo = repoOf(this.#sim, this.#rig);
    const head = repo.head(branch);
    if (head === null) return;
    const salt = `outside ${branch} ${String(this.#sim.time.nowMs)}`;
    const made = repo.commit({ parents: [head], by: 'person', bead: null, places: [], bad: false, fixes: false, salt });
    repo.branches.set(branch, made.id);
  }

  /** All that people can want of it is settled. */
  #content(number: number): void {
    const pull = this.#host.get(number);
    this.#host.set(number, {
      isDraft: false,
      base: pull.openedAs.base,
      changesRequested: [],
      threads: [],
      checks: { state: 'green', failing: [] },
      approvals: Math.max(1, pull.approvals),
      mergeable: 'clean',
    });
  }

  /**
   * The last one of its branch; where that does not help, one of those before it, as the town asks for the one that it
   * knows: a call that arrived late made another, and a host keeps one open of each branch.
   */
  #openOne(branch: string): void {
    const repo = repoOf(this.#sim, this.#rig);
    const ours = this.#host.pulls.filter(({ head, state }) => head === branch && state !== 'merged');
    const turn = Math.max(0, this.#tidied - TIDY_LAST_MAX);
    const chosen = ours[ours.length - 1 - (turn % ours.length)];
    if (chosen?.state !== 'closed') return;
    for (const { number, state } of ours) if (state === 'open') this.#host.set(number, { state: 'closed' });
    if (repo.head(branch) === null) {
      // A host brings back what it saw last: newer work on the branch is not there.
      repo.branches.set(branch, chosen.headSha ?? chosen.openedAs.headSha);
      this.#sim.ledger.discarded.add(branch.slice('gt/'.length));
    }
    this.#reopened.add(chosen.number);
    this.#host.set(chosen.number, { state: 'open', headSha: repo.head(branch) });
  }

  /** When the storm is over people do what pull requests wait for, again and again: rework needs another look. */
  #tidy(): void {
    this.#tidied += 1;
    if (this.#tidied > TIDY_MAX) return;
    this.#sim.time.after(TIDY_MS, 'people look after pull requests', () => {
      const over = this.#host.pulls.filter(({ state }) => state === 'closed');
      for (const branch of new Set(over.map(({ head }) => head))) this.#openOne(branch);
      for (const { state, number } of this.#host.pulls) if (state === 'open') this.#content(number);
      this.#tidy();
    });
  }
}

/** All that the head brings, in one commit on top. */
function squashed(
  repo: GitModel,
  { head, on, salt }: { readonly head: string; readonly on: string; readonly salt: string },
): string {
  const own = repo.between(on, head);
  const places = [...new Set(own.flatMap((commit) => commit.places))];
  const bad = own.some((commit) => commit.bad && !own.some((one) => one.fixes && repo.isAncestor(commit.id, one.id)));
  const fixes = !bad && own.some((commit) => commit.fixes);
  const landed = { head, on };
  return repo.commit({ places, bad, fixes, parents: [on], by: 'person', bead: null, landed, salt }).id;
}
