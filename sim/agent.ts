import { AgentTalk } from './agent-talk.ts';
import type { BrainDoor } from './brain-door.ts';
import { repoOf, type Sim } from './context.ts';
import { doomOf, type Doom } from './fates.ts';
import type { DoneAnswer } from './claims.ts';
import { PLAIN, type Content, type GitModel } from './git-model.ts';
import { Violation } from './ledger.ts';
import type { AttemptRow, Ended, Intent } from './machine.ts';
import type { Prng } from './prng.ts';

/** What an agent is like. Only `good` and `lingers` do what they are asked in every respect. */
const TEMPERS = {
  good: 80,
  lingers: 6,
  no_change: 4,
  no_commits: 4,
  claims_then_dies: 6,
  intends_then_dies: 5,
  done_twice: 5,
  same_done_twice: 4,
  off_base: 4,
  leaves: 5,
  leaves_work: 5,
  fails: 6,
  fails_alike: 3,
  loops: 3,
  stubborn: 3,
} as const;
type Temper = keyof typeof TEMPERS;

const CLAIMS_MAX = 5;
const ERRORS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'];

interface Parts {
  readonly sim: Sim;
  readonly row: AttemptRow;
  readonly base: string;
  readonly door: BrainDoor;
  readonly claim: (intent: Intent, answer: (done: DoneAnswer) => void) => void;
  readonly activity: () => void;
  readonly exited: (how: Ended) => void;
}

/** One agent process: works, commits, claims, lies, loops, leaves. */
export class Agent {
  head: string;
  readonly #parts: Parts;
  readonly #repo: GitModel;
  readonly #chance: Prng;
  readonly #talk: AgentTalk;
  readonly #doom: Doom;
  #temper: Temper;
  #asked = false;
  #goingOn = false;
  #hasSteps: boolean;
  #alive = true;
  #commits = 0;
  #claims = 0;
  #moved: string | null | undefined = undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { request } = parts.row;
    this.head = parts.base;
    this.#hasSteps = request.prompt.includes('follows the formula');
    this.#repo = repoOf(parts.sim, request.rig);
    this.#chance = parts.sim.chance(`agent ${request.attempt}`);
    this.#doom = doomOf(parts.sim, request);
    this.#temper = this.#doom !== 'none' ? 'fails' : parts.sim.storm() ? this.#chance.weighted(TEMPERS) : 'good';
    this.#talk = new AgentTalk({
      sim: parts.sim,
      door: parts.door,
      request,
      chance: parts.sim.chance(`words of ${request.attempt}`),
      later: (delayMs, what, work) => {
        this.#later(delayMs, what, work);
      },
    });
  }

  begin(): void {
    this.#parts.sim.note(`agent ${this.#parts.row.request.attempt} is ${this.#temper}`);
    // Most work is short; some outlasts leases, patrols and outages.
    const slow = this.#chance.chance(this.#parts.sim.long ? 0.6 : 0.1);
    const workMs =
      this.#doom === 'slow'
        ? this.#chance.between(6 * 60_000, 12 * 60_000)
        : this.#chance.between(2_000, slow ? 8 * 60_000 : 40_000);
    this.#later(workMs / 2, 'works', () => {
      this.#parts.activity();
    });
    if (this.#temper === 'loops')
      this.#parts.sim.ledger.explain(this.#parts.row.request.attempt, 'its agent is silent');
    const talks = this.#chance.chance(this.#parts.sim.storm() ? 0.4 : 0.05);
    if (talks)
      this.#later(workMs / 3, 'says something', () => {
        if (!this.#talk.chat()) this.#goOnIn(workMs);
      });
    else this.#goOnIn(workMs);
  }

  #goOnIn(delayMs: number): void {
    this.#later(delayMs, 'acts', () => {
      this.#act();
    });
  }

  /** Words of a person or of the witness, in mid-session: some who said nothing wake up by them. */
  hear(): void {
    if (this.#temper !== 'loops' || !this.#chance.chance(0.5)) return;
    this.#temper = 'good';
    this.#parts.activity();
    this.#goOnIn(1_000);
  }

  get hears(): boolean {
    return this.#alive && this.#temper !== 'stubborn';
  }

  /** Asked to end: most do so at once. */
  terminate(): void {
    if (this.#temper === 'stubborn' || this.#temper === 'loops') return;
    this.#later(this.#chance.between(1, 2_000), 'ends on request', () => {
      this.#exit({ exitCode: null, signal: 'SIGTERM', lastLine: '' });
    });
  }

  kill(): void {
    this.#exit({ exitCode: null, signal: 'SIGKILL', lastLine: '' });
  }

  #later(delayMs: number, what: string, work: () => void): void {
    this.#parts.sim.time.after(delayMs, `agent ${this.#parts.row.request.attempt} ${what}`, () => {
      if (this.#alive) work();
    });
  }

  #exit(how: Ended): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#parts.exited(how);
  }

  #act(): void {
    if (!this.#asked && this.#temper !== 'loops' && this.#parts.sim.storm() && this.#chance.chance(0.08)) {
      this.#asked = true;
      this.#talk.ask(() => {
        this.#act();
      });
      return;
    }
    if (this.#takesSteps()) {
      this.#talk.steps(() => {
        this.#act();
      });
      return;
    }
    switch (this.#temper) {
      case 'no_change':
        this.#claim('nothing needs to change');
        return;
      case 'no_commits':
        this.#claim(null);
        return;
      case 'intends_then_dies':
        this.#work();
        this.#parts.row.intent = this.#intent(null);
        this.#exit({ exitCode: 137, signal: null, lastLine: 'killed' });
        return;
      case 'off_base':
        this.head = this.#repo.commit({ ...PLAIN, parents: [], by: 'agent', bead: null, salt: this.#salt() }).id;
        this.#claim(null);
        return;
      case 'loops':
        return;
      default:
        this.#actWithoutClaim();
    }
  }

  /** Some forget their steps, and hear of it when they are done. */
  #takesSteps(): boolean {
    if (!this.#hasSteps || this.#temper === 'loops') return false;
    this.#hasSteps = false;
    return this.#chance.chance(0.6);
  }

  #actWithoutClaim(): void {
    switch (this.#temper) {
      case 'leaves':
        this.#exit({ exitCode: 0, signal: null, lastLine: 'all good' });
        return;
      case 'leaves_work':
        this.#work();
        this.#exit({ exitCode: 0, signal: null, lastLine: `wrote ${String(this.#chance.int(100))} lines` });
        return;
      case 'fails':
        this.#exit({ exitCode: 1, signal: null, lastLine: `error ${this.#errorOf()}` });
        return;
      case 'fails_alike':
        this.#exit({ exitCode: 1, signal: null, lastLine: 'error: the same' });
        return;
      default:
        if (this.#parts.row.request.kind === 'review') {
          this.#review();
          return;
        }
        this.#work();
        this.#claim(null);
        this.#afterClaim();
    }
  }

  /** A review agent says its word; one that is careless hands in commits, which is refused. */
  #review(): void {
    if (this.#chance.chance(0.1)) this.#work();
    else if (this.#chance.chance(0.3)) {
      this.#talk.wish(() => {
        this.#exit({ exitCode: 0, signal: null, lastLine: 'it has to change' });
      });
      return;
    }
    this.#claim(this.head === this.#parts.base ? 'it is good' : null);
  }

  /** The doomed never fail twice alike: that would be a question for a person instead of a failure. */
  #errorOf(): string {
    if (this.#doom === 'none') return this.#chance.pick(ERRORS) ?? '';
    return ERRORS[this.#parts.row.request.epoch % ERRORS.length] ?? '';
  }

  /** What the impatient do while their claim is being judged. */
  #afterClaim(): void {
    if (this.#temper === 'claims_then_dies')
      this.#later(this.#chance.between(1, 3_000), 'dies', () => {
        this.#exit({ exitCode: 137, signal: null, lastLine: 'killed' });
      });
    if (this.#temper === 'done_twice' || this.#temper === 'same_done_twice')
      this.#later(this.#chance.between(10, 3_000), 'is done again', () => {
        if (this.#goingOn) return;
        if (this.#temper === 'done_twice') this.#commit(PLAIN);
        this.#parts.row.intent = null;
        this.#claim(null);
      });
  }

  #intent(noChange: string | null): Intent {
    this.#claims += 1;
    return { id: this.#claims, noChange };
  }

  #claim(noChange: string | null): void {
    this.#goingOn = false;
    if (this.#claims >= CLAIMS_MAX) {
      this.#exit({ exitCode: 1, signal: null, lastLine: 'the claim is refused for ever' });
      return;
    }
    const intent = this.#intent(noChange);
    this.#parts.row.intent ??= intent;
    this.#later(this.#chance.between(1, 50), 'calls done', () => {
      this.#parts.claim(intent, (done) => {
        if (this.#alive) this.#judged(done);
      });
    });
  }

  #judged(done: DoneAnswer): void {
    const { request } = this.#parts.row;
    if (done.code === 'branch_moved') this.#movedAgain();
    if (done.verdict === 'refused') {
      // Two calls that were refused are one refusal to who made them: it goes on once.
      if (this.#goingOn) return;
      this.#goingOn = true;
      this.#later(this.#chance.between(100, 20_000), 'goes on', () => {
        this.#goOn(done.code);
      });
      return;
    }
    if (done.verdict === 'accepted' && done.head !== null)
      this.#parts.sim.ledger.accepted.push({ rig: request.rig, lineage: request.sourceBead, head: done.head });
    if (this.#temper === 'lingers' || this.#temper === 'stubborn') return;
    this.#later(this.#chance.between(1, 3_000), 'leaves', () => {
      this.#exit({ exitCode: 0, signal: null, lastLine: 'done' });
    });
  }

  /** L8: who merged what the branch had, as the refusal said, is not refused for it again. */
  #movedAgain(): void {
    const actual = this.#repo.head(this.#parts.row.request.branch);
    if (actual === this.#moved && (actual === null || this.#repo.isAncestor(actual, this.head)))
      throw new Violation('L8', `${this.#parts.row.request.attempt} is refused although it contains the branch`);
    this.#moved = actual;
  }

  /** Does what the refusal said. */
  #goOn(code: string): void {
    switch (code) {
      case 'review_only':
        this.head = this.#parts.base;
        this.#claim('it is good after all');
        return;
      case 'no_commits':
        if (this.#chance.chance(0.3)) {
          this.#claim('there is nothing to do');
          return;
        }
        this.#work();
        break;
      case 'open_steps':
        this.#talk.steps(() => {
          this.#claim(null);
        });
        return;
      case 'not_descendant':
        this.head = this.#parts.base;
        this.#work();
        break;
      case 'branch_moved': {
        const actual = this.#repo.head(this.#parts.row.request.branch);
        if (actual !== null) this.#commit({ ...PLAIN }, actual);
        break;
      }
      default:
        break;
    }
    this.#claim(null);
  }

  /** The commits that the bead asks for; rework does what its text asks for. */
  #work(): void {
    const { request } = this.#parts.row;
    const sloppy = this.#parts.sim.storm() && this.#chance.chance(0.15);
    const target = this.#repo.head(request.repo?.targetBranch) ?? this.head;
    if (request.kind === 'conflict' && !sloppy) this.#commit(PLAIN, target);
    if (request.kind === 'rework' && !sloppy) {
      this.#commit(PLAIN, target);
      this.#commit({ ...PLAIN, fixes: true });
      return;
    }
    const nature = this.#parts.sim.chance(`bead ${request.sourceBead}`);
    const places = nature.chance(0.35) ? [`place-${String(nature.int(3))}`] : [];
    const bad = request.kind === 'task' && nature.chance(0.25);
    for (let left = this.#chance.between(1, 4); left > 0; left -= 1) this.#commit({ places, bad, fixes: false });
  }

  #commit(content: Content, merged?: string): void {
    const parents = merged === undefined || merged === this.head ? [this.head] : [this.head, merged];
    const { request } = this.#parts.row;
    this.head = this.#repo.commit({
      ...content,
      parents,
      by: 'agent',
      bead: request.sourceBead,
      salt: this.#salt(),
    }).id;
  }

  #salt(): string {
    this.#commits += 1;
    return `${this.#parts.row.request.attempt} ${String(this.#commits)}`;
  }
}
