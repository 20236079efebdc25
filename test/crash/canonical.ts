/** The state of a whole town as something two runs can be compared by: ids get names, times are left out. */
import type { Sql, SqlRow } from '../../src/ports/sql.ts';
import type { VirtualTown } from '../support/virtual-town.ts';

interface Table {
  readonly name: string;
  readonly columns: string;
  /** What of it is history that two equal ends may differ in. */
  readonly where?: string;
}

const MAYOR_TABLES: readonly Table[] = [
  { name: 'messages', columns: 'seq, sender, text, state, sitting, reply' },
  { name: 'sittings', columns: 'number, failures, outcome' },
  { name: 'session', columns: 'wish, failures, escalated, checkpoint' },
  { name: 'attempts', columns: 'sitting, outcome, process_gone' },
];

const tablesOf = (address: string): readonly Table[] => {
  if (address === 'town') return TOWN_TABLES;
  return address === 'mayor' ? MAYOR_TABLES : RIG_TABLES;
};

const RIG_TABLES: readonly Table[] = [
  {
    name: 'beads',
    columns:
      'id, type, kind, title, origin, priority, status, hold, hold_reason, parent_id, branch_of, convoy_id, convoy_position, target_branch, open_blockers, failed_blockers, failures, last_signature, pinned_agent, created_by, close_reason, evidence, escalated',
  },
  {
    name: 'attempts',
    columns:
      'bead_id, source_bead_id, round, outcome, exit_code, claim, claimed_head, head_sha, process_gone, gupp_rung, question',
  },
  { name: 'agents', columns: 'id, role, status, hook_bead_id, checkpoint' },
  {
    name: 'reviews',
    columns: 'bead_id, source_bead_id, head_sha, candidate_sha, merge_sha, step, rounds, held_reason',
  },
  { name: 'blockers', columns: 'bead_id, blocker_ref, scope, state' },
  {
    name: 'mail',
    columns: 'sender, recipient, kind, subject, body, read_at IS NULL AS unread, end_reason',
  },
  { name: 'nudges', columns: 'agent_id, sender, text, mode, state' },
  { name: 'breakers', columns: 'scope, failures, opened_at IS NULL AS closed' },
];

const TOWN_TABLES: readonly Table[] = [
  { name: 'rigs', columns: 'name, prefix' },
  {
    name: 'convoys',
    columns: 'id, title, status, total_beads, closed_beads, failed_beads, cancelled_beads, on_failure, reason',
  },
  { name: 'convoy_beads', columns: 'convoy_id, position, bead_id, title, status, merge_sha, close_reason' },
  { name: 'remote_waits', columns: 'blocker_ref, rig_id, state' },
  {
    name: 'escalations',
    columns:
      'cause_key, subject, severity, category, message, repeats, acknowledged, resolved_at IS NULL AS unresolved, resolution, decision, re_escalation_count',
  },
  { name: 'escalation_routes', columns: 'round, route, severity, state' },
  {
    name: 'mail',
    columns: 'sender, recipient, kind, subject, body, read_at IS NULL AS unread, end_reason',
  },
];

const QUEUES: readonly Table[] = [
  { name: 'inbox', columns: 'type, state, error', where: `state <> 'applied'` },
  { name: 'outbox', columns: 'kind, state, error', where: `state <> 'done'` },
];

function rows(sql: Sql, table: Table): readonly SqlRow[] {
  return sql.all(
    `SELECT ${table.columns} FROM ${table.name}${table.where === undefined ? '' : ` WHERE ${table.where}`}`,
  );
}

/** Names for ids, by what the history called the thing and, among equals, by age. */
function namesOf(town: VirtualTown): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const used = new Map<string, number>();
  const give = (id: string, base: string): void => {
    const count = (used.get(base) ?? 0) + 1;
    used.set(base, count);
    names.set(id, count === 1 ? `<${base}>` : `<${base} ${String(count)}>`);
  };
  for (const [address, { inner }] of [...town.databases].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const ids = (table: string, title: string): readonly SqlRow[] =>
      inner.all(`SELECT id, ${title} AS title FROM ${table} ORDER BY rowid`);
    if (address === 'town') {
      for (const row of ids('convoys', 'title')) give(String(row['id']), `convoy ${String(row['title'])}`);
      for (const row of ids('escalations', `'escalation'`)) give(String(row['id']), 'escalation');
    } else if (address === 'mayor')
      for (const row of inner.all('SELECT id FROM attempts')) names.set(String(row['id']), '<attempt>');
    else {
      const lineage = `type || ' ' || kind || ' ' || title`;
      for (const row of ids('beads', lineage)) give(String(row['id']), `${address} ${String(row['title'])}`);
      for (const row of inner.all('SELECT id FROM attempts')) names.set(String(row['id']), '<attempt>');
    }
  }
  return names;
}

/** Every row that matters, as sorted lines; empty queues leave none. Ids of titles that hold ids are named twice over. */
export function canonical(town: VirtualTown): readonly string[] {
  const names = namesOf(town);
  const rename = (text: string): string =>
    text.replaceAll(/\b[a-z][a-z0-9]{0,7}-(?:[a-z]{2,4}-)?[0-9a-z]{5,32}\b/g, (id) => names.get(id) ?? id);
  const lines: string[] = [];
  for (const [address, { inner }] of town.databases)
    for (const table of [...tablesOf(address), ...QUEUES])
      for (const row of rows(inner, table))
        lines.push(`${address} ${table.name} ${rename(rename(JSON.stringify(row)))}`);
  return [...lines, ...outside(town, rename)].toSorted();
}

/** The world's own account: who ran, what was pushed, who was told. */
function outside(town: VirtualTown, rename: (text: string) => string): readonly string[] {
  const { runner } = town;
  const started = [...runner.processes.values()].map(
    ({ request, state }) => `process ${rename(`${request.bead} round ${String(request.round)}`)} ${state}`,
  );
  return [
    ...started,
    ...new Set(runner.pushed.map((commit) => `pushed ${commit}`)),
    ...runner.words.map((words) => `words ${words.text}`),
    ...new Set(town.notified.map(({ route, notification }) => `told ${route} ${rename(notification.message)}`)),
    `alarm ${town.nextAlarmMs() === null ? 'none' : 'set'}`,
  ];
}
