import type { Fact, Verdict } from '../src/core/facts.ts';
import { attemptRef } from '../src/core/model/agent.ts';
import { trusted } from '../src/core/model/ids.ts';
import type { BrainDoor } from './brain-door.ts';
import { repoOf, type Sim } from './context.ts';
import type { AttemptRow, Disk, Intent, LiveAgent } from './machine.ts';

const DONE_WAIT_MS = 30_000;
const ASK_AGAIN_MS = 1_000;

/** What `gt done` said: the verdict, and the head that it is about. */
export interface DoneAnswer {
  readonly verdict: Verdict['verdict'];
  readonly code: string;
  readonly head: string | null;
}

interface Parts {
  readonly sim: Sim;
  readonly disk: Disk;
  readonly door: BrainDoor;
  readonly later: (delayMs: number, label: string, work: () => void) => void;
  readonly record: (fact: Fact) => void;
  readonly live: (attempt: string) => LiveAgent | null;
  readonly head: (attempt: string) => string | null;
}

type Made = { readonly key: string; readonly head: string | null } | { readonly refused: string };

/** An agent's "done": checked against git, recorded as a fact once, then the verdict as far as it comes in time. */
export class Claims {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  done(attempt: string, intent: Intent, answer: (done: DoneAnswer) => void): void {
    const live = this.#parts.live(attempt);
    if (live === null || live.ending !== null || live.exiting) {
      answer({ verdict: 'superseded', code: '', head: null });
      return;
    }
    const { row } = live;
    if (row.intent === null || row.intent.noChange !== intent.noChange) row.intent = intent;
    const made = this.#make(row, row.intent);
    if ('refused' in made) {
      row.intent = null;
      answer({ verdict: 'refused', code: made.refused, head: null });
      return;
    }
    this.#await(row, made, { answer, untilMs: this.#parts.sim.time.nowMs + DONE_WAIT_MS });
  }

  /** The exit of an agent whose intent is still on disk makes the claim that it did not live to make. */
  honour(row: AttemptRow): boolean {
    return row.intent !== null && !('refused' in this.#make(row, row.intent));
  }

  #make(row: AttemptRow, intent: Intent): Made {
    const { request, base } = row;
    const repo = repoOf(this.#parts.sim, request.rig);
    const head = this.#parts.head(request.attempt);
    if (row.claimedIntent === intent.id) return { key: claimKey(row), head: row.claimedHead };
    if (base === null || head === null) return { refused: 'no_worktree' };
    if (intent.noChange !== null) return head === base ? this.#record(row, intent, null) : { refused: 'work_exists' };
    if (head === base) return { refused: 'no_commits' };
    if (!repo.isAncestor(base, head)) return { refused: 'not_descendant' };
    const ref = attemptRef(trusted.bead(request.sourceBead), request.epoch);
    if (row.claimedIntent !== null && repo.refs.get(ref) === head) {
      row.claimedIntent = intent.id;
      return { key: claimKey(row), head };
    }
    repo.refs.set(ref, head);
    const made = this.#record(row, intent, head);
    this.#parts.disk.onClaim({ rig: request.rig, ref, key: claimKey(row) });
    const { atClaim } = this.#parts.sim;
    if (atClaim.next?.(request.sourceBead) === true) atClaim.next = null;
    return made;
  }

  #record(row: AttemptRow, intent: Intent, head: string | null): Made {
    row.claims += 1;
    row.claimedIntent = intent.id;
    row.claimedHead = head;
    const { rig, attempt, epoch } = row.request;
    const common = { key: claimKey(row), rig, attempt, epoch, atMs: this.#parts.sim.time.wallMs };
    this.#parts.record(
      head === null
        ? { type: 'agent_no_change', ...common, reason: intent.noChange ?? '' }
        : { type: 'agent_done', ...common, head, summary: 'done' },
    );
    return { key: common.key, head };
  }

  #await(
    row: AttemptRow,
    made: { readonly key: string; readonly head: string | null },
    wait: { readonly answer: (done: DoneAnswer) => void; readonly untilMs: number },
  ): void {
    const { rig, attempt, epoch } = row.request;
    const leftMs = wait.untilMs - this.#parts.sim.time.nowMs;
    if (leftMs <= 0) {
      wait.answer({ verdict: 'pending', code: '', head: made.head });
      return;
    }
    const again = (): void => {
      this.#parts.later(ASK_AGAIN_MS, `verdict of ${attempt} again`, () => {
        this.#await(row, made, wait);
      });
    };
    // Asked before the fact has arrived, the brain would judge the claim before it.
    if (this.#parts.disk.hasFact(rig, made.key)) {
      again();
      return;
    }
    this.#parts.sim.wire.call<Verdict>({
      label: `verdict ${attempt}`,
      to: 'brain',
      timeoutMs: leftMs + 1_000,
      apply: () =>
        this.#parts.door.service((town) => town.verdict(trusted.rig(rig), trusted.attempt(attempt), epoch, leftMs)),
      done: (answer) => {
        if (!answer.ok || answer.value.verdict === 'pending') {
          again();
          return;
        }
        const { value } = answer;
        if (value.verdict === 'refused') {
          row.claimedIntent = null;
          row.intent = null;
        }
        this.#parts.sim.note(`verdict for ${attempt}: ${value.verdict}`);
        wait.answer({ verdict: value.verdict, code: value.verdict === 'refused' ? value.code : '', head: made.head });
      },
    });
  }
}

const claimKey = (row: AttemptRow): string => `done:${row.request.attempt}:${String(row.claims)}`;
