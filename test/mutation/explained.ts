import type { Explanation } from './summary.ts';

/** The type asks for the check; what the program can hold passes it, or the next check says the same. */
const TYPES = 'only for the types: what is recorded can not be that way, or the next condition gives the same';
/** It only spares a look that would find nothing. */
const SPARES = 'only spares a look at the store, which would find nothing';
const EQUAL = 'both give the same where they differ';

const core = (file: string, mutator: string, line: string, ...[why, to]: readonly [string, string?]): Explanation => ({
  file: `src/core/${file}`,
  mutator,
  line,
  why,
  ...(to === undefined ? {} : { to }),
});

const [CONDITION, OPTIONAL, EQUALITY] = ['ConditionalExpression', 'OptionalChaining', 'EqualityOperator'] as const;

/** Changes of the core that no unit test can notice, each with its reason. */
export const EXPLANATIONS: readonly Explanation[] = [
  core('admission.ts', 'ArrayDeclaration', '#engines: Engine[] = []', 'an engine without a name is nobody’s'),
  core(
    'admission.ts',
    CONDITION,
    'last === null ? 0 : last +',
    'a sum with nothing is ten seconds after 1970',
    'false',
  ),
  core('admission.ts', CONDITION, 'if (runtimeMax !== undefined)', 'no number is as large as an unknown one', 'true'),
  core('admission.ts', CONDITION, 'bead.branchOf === null ? null : (view.bead(', TYPES, 'false'),
  core(
    'attention.ts',
    'ArrayDeclaration',
    'whyBead(rig.view, bead, [], nowMs)',
    'a bead that runs has nothing in its way',
  ),
  core(
    'attention.ts',
    CONDITION,
    'a === null || b === null ? (a ?? b)',
    'what joins is an escalation, which has its time',
  ),
  core('attention.ts', EQUALITY, 'SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b)', EQUAL),
  core('mayor-prompt.ts', OPTIONAL, 'last?.reason', TYPES),
  core('model/escalation.ts', 'ArithmeticOperator', 'SEVERITIES.length - 1', EQUAL, 'SEVERITIES.length + 1'),
  core(
    'model/mail.ts',
    EQUALITY,
    'const head = slash < 0',
    'neither is the name of a rig or of the town',
    'slash <= 0',
  ),
  core('money.ts', EQUALITY, "(a.key ?? '') < (b.key ?? '')", 'a day is there once'),
  core('prices.ts', CONDITION, 'best === undefined ? null', TYPES, 'false'),
  core(
    'rules/assign-work.ts',
    EQUALITY,
    'limit >= READY_SCAN_MAX',
    'no limit is that number',
    'limit > READY_SCAN_MAX',
  ),
  core('rules/assign-work.ts', OPTIONAL, 'obstacle.budgets[0]?.shared', TYPES),
  core('rules/bead-ended.ts', CONDITION, "bead.type === 'merge_request' || bead.branchOf !== null", SPARES, 'false'),
  core('rules/bead-ended.ts', 'LogicalOperator', "bead.type === 'merge_request' || bead.branchOf !== null", SPARES),
  core('rules/bead-ended.ts', 'StringLiteral', "bead.type === 'merge_request' || bead.branchOf !== null", SPARES),
  core('rules/bead-ended.ts', CONDITION, 'bead.branchOf === null || clearsDependents(bead)', TYPES, 'false'),
  core('rules/bead-ended.ts', CONDITION, 'review === null || mergeRequest === null', TYPES, 'false'),
  core('rules/bead-ended.ts', CONDITION, "bead.status !== 'closed' && bead.status !== 'failed'", TYPES, 'false'),
  core('rules/choose-runner.ts', EQUALITY, 'a.id < b.id', 'two runners are not one', 'a.id <= b.id'),
  core('rules/choose-runner.ts', CONDITION, 'id !== null && usable.includes(id)', TYPES, 'true'),
  core('rules/convoy.ts', CONDITION, "outlook.kind === 'nothing' && outlook.to === 'cancelled'", TYPES, 'true'),
  core('rules/convoy.ts', 'ArrayDeclaration', "row.state === 'refused' ? [row.batch] : []", 'no batch has that name'),
  core(
    'rules/convoy.ts',
    EQUALITY,
    'because.length < view.convoyAskedAbout',
    'equal is told before',
    'because.length <= view.convoyAskedAbout(convoy.id)',
  ),
  core('rules/dead-agent.ts', OPTIONAL, 'attempt.quota?.reason', TYPES),
  core('rules/free-agent.ts', CONDITION, 'agent.hookBeadId !== null &&', TYPES, 'true'),
  core('rules/landing.ts', CONDITION, "bead.kind !== 'landing' || bead.status !== 'open'", TYPES, 'false'),
  core('rules/mayor.ts', CONDITION, 'lostMs !== null && lostMs >= TAKEOVER_AFTER_MS', TYPES, 'true'),
  core('rules/mayor.ts', 'StringLiteral', "failed(facts, attempt, 'infra', nowMs)", 'both are charged to nobody'),
  core('rules/mayor.ts', CONDITION, 'if (only === undefined) return verdicts', TYPES, 'false'),
  core(
    'rules/merge-step.ts',
    CONDITION,
    'cause.gateLog === undefined ? {}',
    'a part that is undefined is not there',
    'false',
  ),
  core('rules/merge-step.ts', 'StringLiteral', "red.killedBy ?? 'a signal'", TYPES),
  core('molecule-prompt.ts', 'StringLiteral', "step.summary ?? ''", TYPES),
  core(
    'rules/convoy-landing.ts',
    'UnaryOperator',
    'LANDING_BACKOFF_MS.at(-1)',
    'there is a wait for each attempt but the last',
  ),
  core('money.ts', 'StringLiteral', "cause: group.waste ?? ''", TYPES),
  core('why-money.ts', 'StringLiteral', "? ''", TYPES),
  core('model/lifecycle.ts', 'StringLiteral', "named ?? ''", TYPES),
  core('money.ts', 'StringLiteral', "(group) => group.waste ?? ''", TYPES),
  core('why.ts', 'StringLiteral', "open[0] ?? 'It'", TYPES),
  core('rules/merge-train.ts', 'StringLiteral', "text.split('\\n', 1)[0] ?? ''", TYPES, '"Stryker was here!"'),
  core('rules/quota.ts', CONDITION, 'if (attempt === null || window === null)', TYPES, 'false'),
  core('rules/verify-done.ts', CONDITION, 'attempt.claimedAtMs === null || attempt.claim === null', TYPES, 'false'),
  core('rules/verify-done.ts', OPTIONAL, "attempt.claim?.kind === 'no_change'", TYPES),
  core('rules/verify-done.ts', CONDITION, 'bead.branchOf === null ? null : view.reviewOf', TYPES, 'false'),
  core('sentence.ts', 'BlockStatement', '} catch {', 'no message and an undefined one are the same', '{}'),
  core('sentence.ts', CONDITION, "depth === 0 || typeof value !== 'object'", 'a number has no fields either', 'false'),
  core('sentence.ts', 'StringLiteral', "match[1] ?? ''", TYPES),
  core('usage.ts', OPTIONAL, 'b.tokensOut - a.tokensOut)[0]?.model', TYPES),
  core('why-money.ts', CONDITION, 'first === undefined', TYPES, 'false'),
  core('why-revert.ts', CONDITION, "bead.kind === 'revert' && bead.hold === null", 'a hold is told before', 'true'),
  core('why.ts', CONDITION, "bead.status === 'in_review' ? view.reviewOf(bead.id)", SPARES, 'true'),
  core('why.ts', CONDITION, "bead.status === 'in_progress' && bead.type === 'issue'", SPARES, 'true'),
  core('why.ts', 'LogicalOperator', "bead.status === 'in_progress' && bead.type === 'issue'", SPARES),
  core('why.ts', CONDITION, 'bead.closeReason === null ? undefined', TYPES, 'false'),
];
