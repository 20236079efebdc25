import type { SqlValue } from '../src/ports/sql.ts';
import {
  AGENT_TRANSITIONS,
  beadTransitions,
  CONVOY_TRANSITIONS,
  MERGE_STEP_TRANSITIONS,
} from '../src/core/transitions.ts';
import { FAULT_KINDS } from './plan.ts';
import type { SimDatabase } from './faulty-sql.ts';

/** Names of the rules as they stand in the journal. */
export const RULES = [
  'assign-work',
  'bead-ended',
  'convoy',
  'convoy-landing',
  'feature-branch',
  'landing',
  'revert',
  'aborted-convoy',
  'archive',
  'dead-agent',
  'dispatch-breaker',
  'escalation',
  'free-agent',
  'gupp',
  'lost-contact',
  'mail',
  'mayor',
  'mail-expiry',
  'retire-agent',
  'review-agent',
  'merge-step',
  'merge-train',
  'pull-request',
  'forge-silent',
  'nudge',
  'skip-blocked',
  'verify-done',
  'runners',
  'watchdog',
  'budget',
  'quota',
  'command',
  'events',
  'town',
] as const;

/** Rules that the journal may name but no workload here brings about; each with its reason. */
export const RULES_NOT_MET: ReadonlyMap<string, string> = new Map([
  ['kernel', 'it writes only when it sets something unreadable aside, and nothing here is unreadable'],
]);

/**
 * Transitions that the program as it is has no path to. Each stands here with its reason, so that a new path shows up as
 * a line to delete.
 */
export const NO_PATH_YET: ReadonlyMap<string, string> = new Map([
  ['task in_review>open', 'no merge request ends as failed yet, so no source comes back from review'],
  ['task in_review>failed', 'giving up in review is a later command'],
  ['task open>failed', 'giving up by a person is a later command'],
  ['continuation open>failed', 'giving up by a person is a later command'],
  ['agent stopping>unknown', 'an agent that is being stopped stays so when contact is lost'],
  ['convoy creating>cancelled', 'people here learn of a convoy when its rigs have answered'],
]);

/**
 * Transitions that may be missing where few seeds run, as in CI: each needs two or three rare things at once around a pull
 * request. Of 150 seeds some were in a few, some in none; `test/flow/pull-requests.test.ts` and the rules'
 * own tests have such stories.
 */
export const RARE: ReadonlySet<string> = new Set(
  [
    'checking>opening',
    'testing>ended',
    'opening>checking',
    'confirming>confirming',
    'queued>confirming',
    'opening>reworking',
    'confirming>reworking',
    'reworking>confirming',
  ].map((step) => `transition step ${step}`),
);

/** What rounds of the train come to. */
const ROUND_ACTIONS = [
  'order_probes',
  'repeat_probe',
  'dissolve_round',
  'change_suspicion',
  'train_state',
  'train_learn',
  'pause_train',
  'resume_train',
] as const;

/** What people bring about in some stories only. */
const PEOPLE_ACTIONS = ['close_pull', 'drain_rig'] as const;

/** What was reached: rule × fired, fault × struck, transition × taken, and the journal's actions. */
export class Coverage {
  readonly counts = new Map<string, number>();
  readonly #types = new Map<string, string>();

  add(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  merge(other: ReadonlyMap<string, number>): void {
    for (const [what, count] of other) this.add(what, count);
  }

  /** Sees every status change by the statement that makes it. */
  sawRows(database: SimDatabase, text: string, args: readonly SqlValue[]): void {
    if (text.startsWith('UPDATE beads SET status'))
      this.add(`transition ${this.#beadType(database, String(args[5]))} ${String(args[6])}>${String(args[0])}`);
    else if (text.startsWith('UPDATE reviews SET step = ?'))
      this.add(`transition step ${String(args.at(-1))}>${String(args[0])}`);
    else if (text.startsWith('UPDATE convoys SET status'))
      this.add(`transition convoy ${String(args[4])}>${String(args[0])}`);
    else if (text.startsWith('UPDATE agents SET') && text.includes('status = ?, updated_at'))
      this.add(`transition agent ${String(args.at(-2))}>${String(args.at(-5))}`);
  }

  #beadType(database: SimDatabase, id: string): string {
    const known = this.#types.get(id);
    if (known !== undefined) return known;
    const row = database.sql.all('SELECT type, kind, branch_of FROM beads WHERE id = ?', id)[0];
    const type =
      row?.['type'] === 'merge_request'
        ? 'merge_request'
        : row?.['branch_of'] !== null
          ? 'continuation'
          : row['kind'] === 'landing' || row['kind'] === 'revert'
            ? row['kind']
            : 'task';
    this.#types.set(id, type);
    return type;
  }
}

/** Everything that has to be reached at least once over a set of seeds. */
export function expectedCoverage(): readonly string[] {
  const table = (name: string, rows: readonly { readonly from: string; readonly to: string }[]): string[] =>
    rows.map(({ from, to }) => `transition ${name} ${from}>${to}`);
  return [
    ...RULES.map((rule) => `rule ${rule}`),
    ...FAULT_KINDS.map((kind) => `fault ${kind}`),
    ...table('task', beadTransitions('issue', 'task')),
    ...table('landing', beadTransitions('issue', 'landing')),
    // What a revert has beyond a task; the rest of its table is the task's.
    'transition revert open>in_review',
    ...table('continuation', beadTransitions('issue', 'rework')),
    ...table('merge_request', beadTransitions('merge_request', 'task')),
    ...table('step', MERGE_STEP_TRANSITIONS),
    ...[...ROUND_ACTIONS, ...PEOPLE_ACTIONS].map((action) => `action ${action}`),
    ...table('agent', AGENT_TRANSITIONS),
    ...table('convoy', CONVOY_TRANSITIONS),
  ];
}

export function zeros(counts: ReadonlyMap<string, number>): readonly string[] {
  return expectedCoverage().filter((what) => (counts.get(what) ?? 0) === 0);
}
