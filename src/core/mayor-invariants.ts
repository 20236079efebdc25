import type { Violation } from './invariants.ts';
import type { MayorFacts, MayorMessage } from './model/mayor.ts';

/** Recorded state of the mayor, and what the kernel has set for it. */
export interface MayorInvariantFacts extends MayorFacts {
  /** All that have not been settled, and the newest that were, in order. */
  readonly messages: readonly MayorMessage[];
  readonly unresolvedAttempts: number;
  /** The moment at which the rule looks again, or the safety net does. */
  readonly dueAtMs: number | null;
  readonly observeAtMs: number | null;
  readonly pendingEvents: number;
  readonly pendingEffects: number;
}

/** What must hold in the mayor's recorded state between two turns. */
export function checkMayor(facts: MayorInvariantFacts): readonly Violation[] {
  return [...conversation(facts), ...process(facts)];
}

function conversation(facts: MayorInvariantFacts): Violation[] {
  const violations: Violation[] = [];
  let highest = 0;
  let isPastWaiting = false;
  for (const message of facts.messages) {
    const name = `message ${String(message.seq)}`;
    if (message.state === 'waiting') isPastWaiting = true;
    else if (isPastWaiting) violations.push({ code: 'I31', text: `${name} was given before an older one` });
    if (message.sitting !== null && message.sitting < highest)
      violations.push({ code: 'I31', text: `${name} was given to an earlier sitting than an older one` });
    highest = Math.max(highest, message.sitting ?? 0);
    if (message.state === 'shown' && message.sitting !== facts.sitting?.number)
      violations.push({ code: 'I31', text: `${name} is open in a sitting that is not` });
  }
  return violations;
}

function process(facts: MayorInvariantFacts): Violation[] {
  if (facts.unresolvedAttempts > 1)
    return [{ code: 'I32', text: `${String(facts.unresolvedAttempts)} processes of the mayor may live` }];
  if (facts.pendingEvents > 0 || facts.pendingEffects > 0) return [];
  if (facts.attempt !== null)
    return facts.attempt.processGone || facts.observeAtMs !== null
      ? []
      : [{ code: 'I32', text: `nobody asks about ${facts.attempt.id}` }];
  const hasWork = facts.sitting !== null || facts.waitingMessages + facts.newMail > 0;
  if (!hasWork || !facts.isConfigured || facts.wish === 'stopped' || facts.dueAtMs !== null) return [];
  return [{ code: 'I32', text: 'something waits for the mayor, and nothing will start it' }];
}
