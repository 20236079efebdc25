import { FAILURES_MAX, MAIL_KEPT_MS } from '../src/core/limits.ts';
import { MAYOR_ADDRESS } from '../src/core/model/mayor.ts';
import type { SqlRow } from '../src/ports/sql.ts';
import { ArchiveStore } from '../src/store/archive-store.ts';
import { checkAccepted, mergeShaOf } from './accepted.ts';
import type { Brain } from './brain.ts';
import { repoOf, type Sim } from './context.ts';
import type { SimDatabase } from './faulty-sql.ts';
import { Violation } from './ledger.ts';
import { checkReverts } from './reverts.ts';

const text = (row: SqlRow, name: string): string => String(row[name]);
const PEOPLE_HOLD = new Set(['held', 'needs_human', 'staged']);

/**
 * When the storm is over and time has passed: everything ended, or waits for a person or for something that does. What
 * the town said meanwhile must be true in the ledger.
 */
export class Rest {
  readonly #sim: Sim;
  readonly #brain: Brain;
  readonly #waiting: () => readonly ReadonlyMap<string, readonly unknown[]>[];
  checks = 0;

  /** `waiting`: by machine, what its runner still has to tell, by rig. */
  constructor(sim: Sim, brain: Brain, waiting: () => readonly ReadonlyMap<string, readonly unknown[]>[]) {
    this.#sim = sim;
    this.#brain = brain;
    this.#waiting = waiting;
  }

  check(): void {
    for (const database of this.#brain.databases.values()) this.#queues(database);
    for (const rig of this.#rigs()) {
      unpack(rig);
      this.#processes(rig);
      for (const bead of rig.sql.all(`SELECT id FROM beads WHERE status NOT IN ('closed', 'failed')`))
        this.#beadWaits(rig, text(bead, 'id'));
      this.#merged(rig);
      this.#escalated(rig);
    }
    this.#convoys();
    this.#landed();
    this.#pulls();
    this.#channels();
    checkAccepted({
      sim: this.#sim,
      brain: this.#brain,
      bead: (id) => this.#bead(id),
      must: (isTrue, code, sentence) => {
        this.#must(isTrue, code, sentence);
      },
    });
    this.#claimsJudged();
    this.#bounded();
    this.#justified();
    this.#said();
    this.#steps();
    this.#sim.mayor.check(this.#brain.databases.get(MAYOR_ADDRESS), this.#town(), this.#rigs());
  }

  /** L17: what an agent was told about its steps is what is recorded. */
  #steps(): void {
    const known = new Map<string, string>();
    for (const { sql } of this.#rigs())
      for (const row of sql.all(`SELECT bead_id, number, status, summary FROM molecule_steps WHERE status <> 'open'`))
        known.set(`${text(row, 'bead_id')} ${text(row, 'number')}`, `${text(row, 'status')} ${text(row, 'summary')}`);
    for (const [step, words] of this.#sim.ledger.steps)
      this.#must(
        known.get(step) === words,
        'L17',
        () => `the step ${step} was "${words}", now ${String(known.get(step))}`,
      );
  }

  /** I19: a mail that was acknowledged is in one mailbox once, or went back to its sender. Nudges are said or too late. */
  #said(): void {
    const { mails } = this.#sim.ledger;
    const seen = new Map<string, number>();
    for (const { sql } of this.#brain.databases.values())
      for (const row of sql.all('SELECT subject FROM mail'))
        seen.set(text(row, 'subject'), (seen.get(text(row, 'subject')) ?? 0) + 1);
    for (const [subject, to] of mails) {
      const copies = seen.get(subject) ?? 0;
      const kept =
        this.#sim.time.jumpedMs > MAIL_KEPT_MS ||
        to === 'daemon/' ||
        copies + (seen.get(`Returned: ${subject}`) ?? 0) > 0;
      this.#must(kept, 'I19', () => `the mail "${subject}" to ${to} was acknowledged and is nowhere`);
      this.#must(copies <= 1, 'I17', () => `the mail "${subject}" to ${to} is there ${String(copies)} times`);
    }
    for (const { address, sql } of this.#rigs())
      for (const row of sql.all(`SELECT id FROM nudges WHERE state = 'pending'`))
        this.#must(false, 'V9', () => `${address}: the nudge ${text(row, 'id')} is on its way for ever`);
  }

  #rigs(): readonly SimDatabase[] {
    return [...this.#brain.databases.values()].filter(({ address }) => address.startsWith('rig/'));
  }

  #must(holds: boolean, code: string, sentence: () => string): void {
    this.checks += 1;
    if (!holds) throw new Violation(code, sentence());
  }

  #queues({ address, sql }: SimDatabase): void {
    for (const row of sql.all(`SELECT key, error, tries FROM outbox WHERE state = 'pending'`))
      this.#must(
        false,
        'V1',
        () => `${address}: ${text(row, 'key')} is not done (${text(row, 'tries')} tries, ${text(row, 'error')})`,
      );
    for (const row of sql.all(`SELECT key FROM inbox WHERE state = 'pending'`))
      this.#must(false, 'V2', () => `${address}: ${text(row, 'key')} is not applied`);
    for (const [rig, facts] of this.#waiting().flatMap((machine) => [...machine]))
      this.#must(facts.length === 0, 'V2', () => `${String(facts.length)} facts of ${rig} were never taken`);
  }

  #processes({ address, sql }: SimDatabase): void {
    const [live] = sql.all(
      'SELECT id, ended_at, process_gone FROM attempts WHERE ended_at IS NULL OR process_gone = 0',
    );
    this.#must(live === undefined, 'V3', () => `${address}: the attempt ${String(live?.['id'])} never ended`);
    const [agent] = sql.all(`SELECT id, status FROM agents WHERE status NOT IN ('idle', 'dead')`);
    this.#must(agent === undefined, 'V3', () => `${String(agent?.['id'])} is ${String(agent?.['status'])} for ever`);
    const [process] = this.#sim.ledger.processes.keys();
    this.#must(process === undefined, 'V4', () => `the process of ${String(process)} runs for ever`);
  }

  #bead(id: string): SqlRow | null {
    for (const rig of this.#rigs()) {
      const row = rig.sql.all(
        'SELECT id, type, status, hold, close_reason, evidence, open_blockers, failed_blockers, branch_of, cancel_requested_at FROM beads WHERE id = ?',
        id,
      )[0];
      if (row !== undefined) return row;
    }
    return null;
  }

  /** A bead that has not ended waits for a person, or for another bead that waits itself. */
  #beadWaits(rig: SimDatabase, id: string): void {
    const bead = this.#bead(id);
    if (bead === null) return;
    const status = text(bead, 'status');
    this.#must(status !== 'in_progress', 'V5', () => `${id} is in progress for ever`);
    this.#must(bead['cancel_requested_at'] === null, 'V5', () => `the cancel of ${id} is never carried out`);
    if (PEOPLE_HOLD.has(text(bead, 'hold'))) return;
    if (status === 'in_review') {
      const review = rig.sql.all(`SELECT bead_id FROM reviews WHERE source_bead_id = ? AND step <> 'ended'`, id)[0];
      this.#must(review !== undefined, 'V5', () => `${id} is in review without a merge request`);
      return;
    }
    if (Number(bead['failed_blockers']) > 0) return;
    if (this.#featureWaits(rig, id)) return;
    this.#must(Number(bead['open_blockers']) > 0, 'V5', () => `${id} is open, waits for nothing, and nothing happens`);
    for (const row of rig.sql.all(`SELECT blocker_ref FROM blockers WHERE bead_id = ? AND state = 'open'`, id))
      this.#blockerWaits(id, text(row, 'blocker_ref'));
  }

  /** Its feature branch waits for a person: to start the convoy, or to mend the branch. */
  #featureWaits(rig: SimDatabase, id: string): boolean {
    const feature = rig.sql.all(
      'SELECT f.state AS state, f.escalated AS escalated, f.convoy_id AS convoy FROM features f JOIN beads b ON b.target_branch = f.branch WHERE b.id = ?',
      id,
    )[0];
    if (feature === undefined) return false;
    const convoy = this.#town().sql.all('SELECT status FROM convoys WHERE id = ?', text(feature, 'convoy'))[0];
    return feature['state'] === 'staged'
      ? convoy?.['status'] === 'staged'
      : feature['state'] === 'lost' && feature['escalated'] === 1;
  }

  #blockerWaits(id: string, ref: string): void {
    if (ref.includes('/')) {
      const convoy = this.#town().sql.all('SELECT status FROM convoys WHERE id = ?', ref.slice(0, ref.indexOf('/')))[0];
      const status = String(convoy?.['status']);
      this.#must(status === 'staged', 'V6', () => `${id} waits for ${ref}, whose convoy is ${status}`);
      return;
    }
    const blocker = this.#bead(ref);
    const ended = blocker === null || ['closed', 'failed'].includes(text(blocker, 'status'));
    this.#must(!ended, 'V6', () => `${id} waits for ${ref}, which has ended`);
  }

  #town(): SimDatabase {
    const town = this.#brain.databases.get('town');
    if (town === undefined) throw new Error('a town has its database');
    return town;
  }

  /** I9: what is called merged is on the target. */
  #merged(rig: SimDatabase): void {
    const repo = repoOf(this.#sim, rig.address.slice('rig/'.length));
    for (const row of rig.sql.all(`SELECT id, evidence FROM beads WHERE close_reason = 'merged'
        AND NOT EXISTS (SELECT 1 FROM features WHERE branch = json_extract(evidence, '$.target'))`)) {
      const sha = mergeShaOf(row);
      this.#must(
        sha !== null && repo.isAncestor(sha, repo.mustHead()),
        'I9',
        () => `${text(row, 'id')} is called merged as ${String(sha)}, which is not on the target`,
      );
    }
  }

  /** A question for a person is in their inbox. */
  #escalated(rig: SimDatabase): void {
    for (const row of rig.sql.all(
      `SELECT b.id, r.source_bead_id AS source FROM beads b LEFT JOIN reviews r ON r.bead_id = b.id WHERE b.hold = 'needs_human' AND b.status = 'open'`,
    )) {
      const subject = row['source'] === null ? text(row, 'id') : text(row, 'source');
      const open = this.#town().sql.all(
        'SELECT id FROM escalations WHERE cause_key = ? AND resolved_at IS NULL',
        `bead:${subject}`,
      );
      const isDismissed = this.#sim.ledger.dismissed.has(`bead:${subject}`);
      this.#must(
        open.length > 0 || isDismissed,
        'V7',
        () => `${text(row, 'id')} asks a person, but no question is open`,
      );
    }
  }

  #convoys(): void {
    const town = this.#town();
    for (const convoy of town.sql.all(
      `SELECT id, status FROM convoys WHERE status NOT IN ('landed', 'failed', 'cancelled')`,
    )) {
      const id = text(convoy, 'id');
      const status = text(convoy, 'status');
      if (status === 'staged') continue;
      if (status === 'ready_to_land') {
        this.#landingWaits(id);
        continue;
      }
      this.#must(status === 'active', 'V8', () => `the convoy ${id} is ${status} for ever`);
      const beads = town.sql.all('SELECT bead_id, status FROM convoy_beads WHERE convoy_id = ?', id);
      this.#must(
        beads.some((bead) => bead['status'] !== 'closed'),
        'V8',
        () => `every bead of ${id} is closed, but it does not land`,
      );
      for (const bead of beads) this.#convoyBead(id, bead);
    }
  }

  /** A landing that has not ended waits for a person, who was told. */
  #landingWaits(id: string): void {
    const held = this.#rigs().some(
      ({ sql }) =>
        sql.all(
          `SELECT 1 AS one FROM beads l JOIN beads b ON b.id = l.id OR b.branch_of = l.id OR b.parent_id = l.id
            WHERE l.kind = 'landing' AND l.convoy_id = ? AND l.status IN ('open', 'in_review') AND b.hold IN ('needs_human', 'held')
            UNION ALL SELECT 1 FROM features WHERE convoy_id = ? AND state = 'lost' AND escalated = 1`,
          id,
          id,
        ).length > 0,
    );
    this.#must(held, 'V8', () => `the convoy ${id} is landing for ever and waits for nobody`);
  }

  #landed(): void {
    const rigs = new Map(
      this.#rigs().map((database) => {
        const name = database.address.slice('rig/'.length);
        return [name, { database, repo: repoOf(this.#sim, name) }];
      }),
    );
    this.#sim.landings.check(this.#town(), rigs);
    this.checks += checkReverts(this.#town(), rigs);
  }

  #convoyBead(convoy: string, row: SqlRow): void {
    if (row['status'] !== 'live') return;
    const bead = this.#bead(text(row, 'bead_id'));
    const ended = bead === null || ['closed', 'failed'].includes(text(bead, 'status'));
    this.#must(!ended, 'V8', () => `${convoy} waits for ${text(row, 'bead_id')}, which has ended`);
  }

  /** F3: what was cancelled has no pull request that nobody closed. */
  #pulls(): void {
    this.#brain.forge?.checkClosed((mergeRequest) =>
      this.#rigs().some(
        ({ sql }) =>
          sql.all(
            `SELECT 1 AS one FROM reviews r JOIN beads b ON b.id = r.source_bead_id WHERE r.bead_id = ? AND b.close_reason = 'cancelled'`,
            mergeRequest,
          ).length > 0,
      ),
    );
  }

  /** I17: every message that was sent was received. */
  #channels(): void {
    for (const from of this.#brain.databases.values())
      for (const row of from.sql.all('SELECT peer, sent FROM channels WHERE sent > 0')) {
        const to = this.#brain.databases.get(text(row, 'peer'));
        const received = to?.sql.all('SELECT received FROM channels WHERE peer = ?', from.address)[0]?.['received'];
        this.#must(
          received === row['sent'],
          'I17',
          () => `${from.address} sent ${text(row, 'sent')} to ${text(row, 'peer')}, which took ${String(received)}`,
        );
      }
  }

  /** A claim that was recorded and not refused ends by its verdict only, whatever becomes of its process. */
  #claimsJudged(): void {
    for (const rig of this.#rigs())
      for (const row of rig.sql.all(
        `SELECT id, bead_id, outcome, claimed_head FROM attempts WHERE claimed_head IS NOT NULL AND claim_refusal IS NULL
          AND outcome IN ('no_progress', 'agent_error', 'infra', 'evicted', 'superseded')`,
      ))
        this.#must(
          false,
          'L9',
          () =>
            `${text(row, 'id')} of ${text(row, 'bead_id')} claimed ${text(row, 'claimed_head')} and ended as ${text(row, 'outcome')}`,
        );
  }

  /** More than so many counted failures only burn money, unless a person asks for more. */
  #bounded(): void {
    for (const rig of this.#rigs())
      for (const row of rig.sql.all(
        `SELECT bead_id, COUNT(*) AS n FROM attempts WHERE outcome IN ('no_progress', 'agent_error', 'rejected') GROUP BY bead_id`,
      )) {
        const most = FAILURES_MAX * (1 + (this.#sim.ledger.retries.get(text(row, 'bead_id')) ?? 0));
        this.#must(
          Number(row['n']) <= most,
          'L13',
          () => `${text(row, 'bead_id')} failed ${text(row, 'n')} times; at most ${String(most)} were asked for`,
        );
      }
  }

  /** Every attempt that brought nothing has a cause outside of the town. */
  #justified(): void {
    for (const rig of this.#rigs())
      for (const row of rig.sql.all(
        `SELECT id, bead_id, outcome, reason, started_at, ended_at FROM attempts WHERE outcome NOT IN ('done', 'no_change', 'cancelled')`,
      )) {
        const id = text(row, 'id');
        const { ledger } = this.#sim;
        const known = ledger.explained.has(id) || ledger.troubled(Number(row['started_at']), Number(row['ended_at']));
        this.#must(
          known,
          'L7',
          () =>
            `${id} of ${text(row, 'bead_id')} ended as ${text(row, 'outcome')} (${text(row, 'reason')}) without any cause outside`,
        );
      }
  }
}

/** The archive comes back, so that what is checked at the end is checked of everything that ever ended. */
function unpack({ sql }: SimDatabase): void {
  const archive = new ArchiveStore(sql);
  for (const row of sql.all('SELECT source_bead_id FROM archive')) archive.bringBack(text(row, 'source_bead_id'));
}
