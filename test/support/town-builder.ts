/** What a town records beside its rigs, as plain objects: escalations and mail, and what its rules read. */
import { trusted } from '../../src/core/model/ids.ts';
import type { Mail } from '../../src/core/model/mail.ts';
import type { EscalationSummary } from '../../src/core/queries.ts';
import type { TownView } from '../../src/core/town-view.ts';
import { noBudgets } from './no-budgets.ts';

/** An open escalation of the town itself that nobody has seen yet and that does not rise. */
export const escalation = (over: Partial<EscalationSummary> = {}): EscalationSummary => ({
  id: trusted.escalation('hq-esc-00000'),
  rig: null,
  severity: 'medium',
  category: 'infrastructure',
  message: 'Something is wrong.',
  subject: '',
  causeKey: 'breaker:api:dispatch',
  repeats: 0,
  acknowledgedAtMs: null,
  acknowledgedBy: null,
  resolvedAtMs: null,
  resolvedBy: null,
  resolution: null,
  decision: null,
  reEscalations: 0,
  nextEscalationAtMs: null,
  createdAtMs: 0,
  status: 'open',
  routes: [],
  options: [],
  ...over,
});

/** An unread note of `nux` to people. */
export const mail = (over: Partial<Mail> = {}): Mail => ({
  id: trusted.mail('ml-0000000000000000'),
  key: 'note:1',
  from: 'api/polecats/nux',
  to: 'human/',
  kind: 'note',
  subject: 'A word',
  body: 'Please look.',
  replyTo: null,
  createdAtMs: 0,
  deliveredAtMs: null,
  deliveredAttempt: null,
  readAtMs: null,
  expiresAtMs: 1_000_000,
  endedAtMs: null,
  endReason: null,
  ...over,
});

/** A town in which nothing is recorded. */
export const townView = (over: Partial<TownView> = {}): TownView => ({
  convoy: () => null,
  convoyBeads: () => [],
  convoyAdditions: () => [],
  convoyLandings: () => [],
  isRemovedRig: () => false,
  convoyAskedAbout: () => 0,
  escalation: () => null,
  escalationRoutes: () => [],
  ...noBudgets,
  ...over,
});
