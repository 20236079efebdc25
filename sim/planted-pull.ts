import type { Planted } from './planted-train.ts';

/** Bugs of pull requests. */
export const PLANTED_PULL: readonly Planted[] = [
  {
    name: 'pull: a head that nobody approved is merged',
    file: 'core/pull/policy.ts',
    find: 'seen.approvals >= policy.approvals',
    put: 'seen.approvals >= 0',
  },
  {
    name: 'pull: merged without its last commits is merged',
    file: 'core/rules/pull-step.ts',
    find: 'isAsProposed ? seen.mergeSha : null',
    put: 'seen.mergeSha',
  },
  {
    name: 'pull: nobody looks again',
    file: 'actors/rig/rig-effects.ts',
    find: 'if (seen.againAtMs !== null) again.set(seen.ref, seen.againAtMs);',
    put: '',
  },
  {
    name: 'pull: a cancel waits for ever',
    file: 'core/rules/pull-cancel.ts',
    find: 'if (isFresh) return carryOut(',
    put: 'if (isFresh && seen.inQueue) return carryOut(',
  },
  {
    name: 'pull: the answer of the forge is dropped',
    file: 'actors/rig/forge-facts.ts',
    find: 'if (!writer.proposals.answered(id, fact.stepKey, fact.said))',
    put: 'if (fact.stepKey === null)',
  },
  {
    name: 'pull: a branch that somebody emptied is merged',
    file: 'core/rules/pull-check.ts',
    find: 'if (!proposal.isAdopted)',
    put: 'if (pull.nowMs > 0)',
  },
  {
    name: 'pull: that of cancelled work stays open',
    file: 'core/rules/pull-close.ts',
    find: "source?.closeReason !== 'cancelled'",
    put: "source?.closeReason !== 'merged'",
  },
  {
    name: 'pull: one that was opened late is not looked for',
    file: 'core/rules/pull-close.ts',
    find: 'proposal.number !== null || proposal.isOpenAsked',
    put: 'proposal.number !== null',
  },
];
