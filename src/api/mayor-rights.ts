import type { MayorVerb } from '../core/queries.ts';

/** One call of the owner's API that the mayor may make too. */
interface Right {
  readonly verb: MayorVerb;
  readonly method: 'GET' | 'POST';
  /** Path below the town; `*` is one segment. */
  readonly path: string;
}

const get = (verb: MayorVerb, ...paths: readonly string[]): readonly Right[] =>
  paths.map((path) => ({ verb, method: 'GET', path }));
const post = (verb: MayorVerb, ...paths: readonly string[]): readonly Right[] =>
  paths.map((path) => ({ verb, method: 'POST', path }));

/** Everything that a session of the mayor may call beside its own conversation; what is not here is refused. */
export const MAYOR_RIGHTS: readonly Right[] = [
  ...get('status', 'status', 'mq', 'feed', 'escalations'),
  ...get('list_rigs', 'rigs'),
  ...get('list_beads', 'beads', 'beads/*'),
  ...get('list_agents', 'agents', 'agents/*'),
  ...get('list_convoys', 'convoys', 'convoys/*'),
  ...get('why', 'why/*'),
  ...post('sling', 'beads', 'beads/*/sling', 'beads/*/unsling', 'beads/*/formula'),
  ...post('sling_batch', 'convoys'),
  ...post('bead_update', 'beads/*/update', 'beads/*/hold', 'beads/*/release', 'beads/*/retry', 'beads/*/close'),
  ...post('bead_reassign', 'beads/*/reassign'),
  ...post('convoy_start', 'convoys/*/start'),
  ...post('convoy_change', 'convoys/*/add', 'convoys/*/remove', 'convoys/*/update', 'convoys/*/close'),
  ...post('agent_reset', 'agents/*/reset'),
  ...post('nudge', 'agents/*/nudge'),
  ...post('escalation_acknowledge', 'escalations/*/ack'),
];

/** The right that a call needs; null where the mayor has none. `path` is below the town, without a query. */
export function mayorRight(method: string, path: string): MayorVerb | null {
  const parts = path.split('/');
  const right = MAYOR_RIGHTS.find(
    (one) => (one.method === method || (method === 'HEAD' && one.method === 'GET')) && fits(one.path.split('/'), parts),
  );
  return right?.verb ?? null;
}

const fits = (pattern: readonly string[], parts: readonly string[]): boolean =>
  pattern.length === parts.length &&
  pattern.every((part, index) => (part === '*' ? parts[index] !== '' : part === parts[index]));
