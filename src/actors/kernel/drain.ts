import { EFFECT_RETRY_MIN_MS, EVENT_TRIES_MAX, TURN_BATCH_MAX } from '../../core/limits.ts';
import { DbError } from '../../ports/sql.ts';
import type { InboxEvent } from '../../store/kernel-store.ts';
import { describe } from './failures.ts';
import type { Program } from './program.ts';
import type { Turn } from './turn.ts';

/** Applies what waits in the inbox, each event in a savepoint of its own, until nothing is left for now. */
export function drainInbox(turn: Turn, program: Program): void {
  for (;;) {
    const events = turn.kernel.pendingEvents(turn.nowMs, TURN_BATCH_MAX);
    if (events.length === 0) return;
    const waiting = new Set<string>();
    for (const event of events)
      if (!waiting.has(event.subject) && !apply(turn, program, event)) waiting.add(event.subject);
  }
}

/** False when the event is tried again later: what follows it about the same subject waits for that. */
function apply(turn: Turn, program: Program, event: InboxEvent): boolean {
  try {
    turn.sql.tx(() => {
      program.applyEvent(turn, event);
    });
    turn.kernel.settleEvent(event.seq, turn.nowMs);
    return true;
  } catch (error) {
    if (error instanceof DbError && error.kind === 'storage') throw error;
    const message = describe(error);
    if (event.tries + 1 < EVENT_TRIES_MAX) {
      turn.kernel.retryEvent(event.seq, turn.nowMs + EFFECT_RETRY_MIN_MS * 2 ** event.tries, message);
      return false;
    }
    turn.kernel.quarantineEvent(event.seq, turn.nowMs, message);
    turn.journal({
      entity: event.subject,
      action: 'quarantine_event',
      rule: 'kernel',
      reason: `${event.type} could not be applied: ${message}`,
    });
    program.quarantined(turn, event.subject, message);
    return true;
  }
}
