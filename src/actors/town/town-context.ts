import type { TownToRig } from '../../core/messages.ts';
import { convoyRef } from '../../core/refs.ts';
import { isConvoyEnded } from '../../core/model/convoy.ts';
import { crockford, TOWN_SUFFIX_LENGTH, trusted, type ConvoyId } from '../../core/model/ids.ts';
import { LOCAL_RUNNER } from '../../core/model/runner.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Sql } from '../../ports/sql.ts';
import { ConvoyWriter } from '../../store/convoy-writer.ts';
import { ConvoyRevertWriter } from '../../store/convoy-revert-store.ts';
import { LandingWriter } from '../../store/landing-store.ts';
import { EscalationWriter } from '../../store/escalation-writer.ts';
import { SqlTownView } from '../../store/town-view.ts';
import type { Turn } from '../kernel/turn.ts';
import { TownPost } from './town-post.ts';
import { TownRunners } from './town-runners.ts';
import { Watchdog, type AskRig } from './watchdog.ts';

export const TOWN_ADDRESS = 'town';
/** Cause of the escalation about a sender that wrote to nobody; the sender follows. */
export const UNKNOWN_RECIPIENT = 'mail:unknown:';
export const rigAddress = (rig: string): string => `rig/${rig}`;
export const rigOf = (address: string): string => address.slice(address.indexOf('/') + 1);
/** Escalations are more than convoys: three more characters keep a collision out of reach. */
const ESCALATION_SUFFIX_LENGTH = TOWN_SUFFIX_LENGTH + 3;

export interface Raise {
  /** Empty for the town itself. */
  readonly rig: string;
  readonly causeKey: string;
  readonly severity: string;
  readonly category: string;
  readonly subject: string;
  readonly message: string;
}

/** What every part of the town actor shares: its view, its writers, and the wire to the rigs. */
export class TownContext {
  readonly sql: Sql;
  readonly ports: HostPorts;
  readonly view: SqlTownView;
  readonly post: TownPost;
  readonly watchdog: Watchdog;
  readonly runners: TownRunners;

  constructor(sql: Sql, ports: HostPorts, askRig: AskRig) {
    this.sql = sql;
    this.ports = ports;
    this.view = new SqlTownView(sql);
    this.post = new TownPost(this);
    this.watchdog = new Watchdog(this, askRig);
    this.runners = new TownRunners(this);
  }

  remoteRunners(): readonly string[] {
    return this.runners.store.all().flatMap((runner) => (runner.id === LOCAL_RUNNER ? [] : [runner.id]));
  }

  runnerDown(turn: Turn, id: string, reason: string): void {
    this.runners.away(turn, id, 'down', reason);
  }

  runnerBack(turn: Turn, id: string): void {
    this.runners.back(turn, id);
  }

  convoys(turn: Turn): ConvoyWriter {
    return new ConvoyWriter(this.sql, turn.nowMs, turn.dirty);
  }

  landings(turn: Turn): LandingWriter {
    return new LandingWriter(this.sql, turn.dirty);
  }

  reverts(turn: Turn): ConvoyRevertWriter {
    return new ConvoyRevertWriter(this.sql, turn.nowMs, turn.dirty);
  }

  escalations(turn: Turn): EscalationWriter {
    return new EscalationWriter(this.sql, turn.nowMs, turn.dirty);
  }

  mint(kind: 'cv' | 'esc'): string {
    const length = kind === 'cv' ? TOWN_SUFFIX_LENGTH : ESCALATION_SUFFIX_LENGTH;
    return `hq-${kind}-${crockford(this.ports.random.bytes(length))}`;
  }

  /** A rig that was removed is told nothing: nobody would take the message, and its number would be missing for ever. */
  tell(turn: Turn, rig: string, message: TownToRig): void {
    if (this.view.isRemovedRig(rig)) return;
    turn.send<TownToRig>(rigAddress(rig), TOWN_ADDRESS, message);
  }

  /** A bead of one rig waits for a bead of another: remember it, and ask the owner to report its end. */
  waitFor(turn: Turn, blocker: string, waitingRig: string): void {
    this.sql.all(
      `INSERT INTO remote_waits (blocker_ref, rig_id, state) VALUES (?, ?, 'open') ON CONFLICT (blocker_ref, rig_id) DO UPDATE SET state = 'open'`,
      blocker,
      waitingRig,
    );
    if (blocker.includes('/')) {
      this.#waitForPlace(turn, blocker, waitingRig);
      return;
    }
    const owner = this.view.rigByPrefix(blocker.slice(0, blocker.indexOf('-')));
    if (owner === null)
      this.tell(turn, waitingRig, { type: 'gate_failed', ref: blocker, reason: `no rig has beads like ${blocker}` });
    else this.tell(turn, owner.name, { type: 'watch_bead', bead: blocker });
  }

  /**
   * A place in a convoy that has no bead yet: its name comes when the convoy starts. Once the convoy has ended nobody would
   * say it any more, and a bead that was reopened outside of it would wait for ever (found by the simulator).
   */
  #waitForPlace(turn: Turn, place: string, waitingRig: string): void {
    const [convoy = '', position = ''] = place.split('/');
    const status = this.view.convoy(trusted.convoy(convoy))?.status;
    if (status !== undefined && !isConvoyEnded(status)) return;
    const [row] = this.sql.all(
      'SELECT bead_id FROM convoy_beads WHERE convoy_id = ? AND position = ?',
      convoy,
      Number(position),
    );
    this.sql.all('DELETE FROM remote_waits WHERE blocker_ref = ? AND rig_id = ?', place, waitingRig);
    const bead = row?.['bead_id'];
    if (typeof bead !== 'string') {
      this.tell(turn, waitingRig, { type: 'gate_failed', ref: place, reason: `${convoy} ended without a bead there` });
      return;
    }
    this.tell(turn, waitingRig, { type: 'gate_moved', ref: place, successor: bead });
    this.waitFor(turn, bead, waitingRig);
  }

  raise(turn: Turn, raise: Raise): void {
    this.escalations(turn).raise({ ...raise, id: trusted.escalation(this.mint('esc')) });
    turn.journal({
      entity: raise.subject,
      action: 'escalation_raised',
      rule: 'events',
      reason: raise.message,
      to: raise.severity,
    });
    this.ports.log.warn('escalation', {
      severity: raise.severity,
      category: raise.category,
      subject: raise.subject,
    });
  }

  resolve(turn: Turn, causeKey: string): void {
    for (const subject of this.escalations(turn).resolveCause(causeKey))
      turn.journal({
        entity: subject,
        action: 'escalation_resolved',
        rule: 'events',
        reason: 'its cause is gone',
      });
  }

  /** One line of account for what changed in a convoy's counts. */
  journalProgress(turn: Turn, id: ConvoyId, rule: string): void {
    const convoy = this.view.convoy(id);
    if (convoy === null) return;
    turn.journal({
      entity: convoyRef(id),
      action: 'update_convoy_progress',
      rule,
      reason: `${String(convoy.closedBeads)} of ${String(convoy.totalBeads)} closed, ${String(convoy.failedBeads)} failed, ${String(convoy.cancelledBeads)} cancelled`,
    });
  }
}
