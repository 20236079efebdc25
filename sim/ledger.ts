import type { StartAgent } from '../src/core/facts.ts';
import type { GitModel } from './git-model.ts';

/** Something that must never happen, happened. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly code: string;

  constructor(code: string, text: string) {
    super(`${code}: ${text}`);
    this.code = code;
  }
}

/** Late answers and repeated calls of a spell of trouble arrive within this time. */
const AFTERMATH_MS = 60_000;

interface Process {
  readonly attempt: string;
  readonly lineage: string;
  readonly machine: string;
  readonly atMs: number;
  /** How many spells of trouble had begun by then. */
  readonly troubles: number;
}

/** The truth outside of the town's own databases: processes, pushes, what was said to people and agents. */
export class Ledger {
  /** Checks made here, for the figures. */
  checks = 0;
  readonly processes = new Map<string, Process>();
  /** Lineages whose cancel was answered as done. */
  readonly cancelled = new Map<string, number>();
  /** Lineages whose branch somebody outside emptied: what they lose is that person's doing. */
  readonly discarded = new Set<string>();
  /** What somebody put on a branch instead of its work, by lineage: commits that the target had. */
  readonly emptied = new Map<string, string>();
  /** Rigs with gates: what they merge must be green. */
  readonly gated = new Set<string>();
  /** Lineages that a forge merged because the town asked it to. */
  readonly mergedForUs = new Set<string>();
  /** Heads that agents were told to be accepted, by lineage. */
  readonly accepted: { readonly rig: string; readonly lineage: string; readonly head: string }[] = [];
  /** Mails that were acknowledged: who was to get them, by subject. */
  readonly mails = new Map<string, string>();
  /** Causes of escalations that people set aside without deciding anything. */
  readonly dismissed = new Set<string>();
  /** How often people answered "try again" for a bead. */
  readonly retries = new Map<string, number>();
  /** Steps of formulas that agents were told to be settled, with their words; by bead and number. */
  readonly steps = new Map<string, string>();
  /** Runners whose machine is gone for good, with all that nobody else had. */
  readonly burned = new Set<string>();
  /** Rigs that people removed once: what runners still had to say of them found nobody, and is not counted. */
  readonly removed = new Set<string>();
  /** Per attempt: what happened outside that explains that it did not succeed. */
  readonly explained = new Map<string, string>();
  /** What agents said to have used in all, by attempt. */
  readonly used = new Map<string, { readonly tokens: number; readonly microUsd: number | null }>();
  /** Spans of wall time in which something was wrong. */
  readonly #troubles: { readonly fromMs: number; toMs: number }[] = [];
  readonly #landed = new Map<string, string>();
  readonly #started = new Set<string>();

  /**
   * One process per attempt, and one per lineage. On another machine a second one is allowed only when something was wrong
   * since the first began: the town can't see whether it still runs, and it is fenced.
   */
  processStarted(request: StartAgent, where: { readonly machine: string; readonly atMs: number }): void {
    const { rig, attempt, sourceBead: lineage } = request;
    this.checks += 2;
    if (this.#started.has(attempt)) throw new Violation('L1', `the attempt ${attempt} got a second process`);
    this.#started.add(attempt);
    for (const other of this.processes.values())
      if (other.lineage === lineage && (other.machine === where.machine || !this.#troubledSince(other, where.atMs)))
        throw new Violation('L2', `${lineage} in ${rig} has two processes: ${other.attempt} and ${attempt}`);
    this.processes.set(attempt, { attempt, lineage, ...where, troubles: this.#troubles.length });
  }

  /** By their order too: the wall clock may have gone back between the two. */
  #troubledSince({ atMs, troubles }: { readonly atMs: number; readonly troubles: number }, untilMs: number): boolean {
    return this.#troubles.length > troubles || this.troubled(atMs, untilMs);
  }

  /** Whether a process of it ever began. */
  hasRun(attempt: string): boolean {
    return this.#started.has(attempt);
  }

  processEnded(attempt: string): void {
    this.processes.delete(attempt);
  }

  /** L17: a step is settled once, with the words that were acknowledged. */
  stepSettled(step: string, words: string): void {
    this.checks += 1;
    const known = this.steps.get(step);
    if (known !== undefined && known !== words)
      throw new Violation('L17', `the step ${step} was acknowledged as "${known}" and as "${words}"`);
    this.steps.set(step, words);
  }

  /** The first explanation stands. */
  explain(attempt: string, why: string): void {
    if (!this.explained.has(attempt)) this.explained.set(attempt, why);
  }

  trouble(fromMs: number, toMs: number): void {
    this.#troubles.push({ fromMs, toMs });
  }

  /** The wall clock jumps: what lasts goes on after the jump. */
  clockJumps(wallMs: number, byMs: number): void {
    for (const span of this.#troubles) if (span.toMs >= wallMs) span.toMs += byMs;
  }

  /** True when something was wrong during the span, or so shortly before it that it may still show. */
  troubled(fromMs: number, toMs: number): boolean {
    return this.#troubles.some((span) => span.fromMs <= toMs && span.toMs >= fromMs - AFTERMATH_MS);
  }

  /** The refinery's commit that brought a bead's work to its target; null: none did. */
  landedAs(bead: string): string | null {
    return this.#landed.get(bead) ?? null;
  }

  /** The target moved: what was on it must stay on it, and our own merges come once and for living beads only. */
  targetMoved(rig: string, repo: GitModel, from: string, to: string): void {
    this.checks += 2;
    if (!repo.isAncestor(from, to))
      throw new Violation('L3', `${repo.target} of ${rig} went from ${from} to ${to}: an acknowledged commit is gone`);
    const ours = repo.get(to).by === 'refinery';
    if (ours && this.gated.has(rig) && repo.isRed(to) && !repo.isRed(from))
      throw new Violation('L10', `${to} broke ${repo.target} of ${rig}: its gates are red`);
    for (const commit of repo.between(from, to)) {
      if (commit.by !== 'refinery' || commit.bead === null) continue;
      this.checks += 2;
      const earlier = this.#landed.get(commit.bead);
      if (earlier !== undefined && earlier !== commit.id)
        throw new Violation('L4', `${commit.bead} landed twice: ${earlier} and ${commit.id}`);
      this.#landed.set(commit.bead, commit.id);
      if (this.cancelled.has(commit.bead))
        throw new Violation('L5', `${commit.bead} landed as ${commit.id} after its cancel was answered as done`);
    }
  }
}
