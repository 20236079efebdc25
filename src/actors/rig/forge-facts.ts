import { trusted, type BeadId } from '../../core/model/ids.ts';
import type { ForgeSaid, Proposal } from '../../core/model/proposal.ts';
import type { PullEnd, PullRequest } from '../../core/model/pull-request.ts';
import { isSameSight, sightText } from '../../core/pull/sight.ts';
import { beadRef } from '../../core/refs.ts';
import { inert } from '../../core/text.ts';
import { closingText } from '../../core/why-pull.ts';
import type { NewEvent } from '../../store/kernel-store.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import { closeKey } from './pull-steps.ts';
import type { RigContext } from './rig-context.ts';

/** What a forge answered, as a fact of the rig to itself. */
export type ForgeFact =
  | { readonly type: 'forge_said'; readonly mergeRequest: string; readonly stepKey: string; readonly said: ForgeSaid }
  | { readonly type: 'forge_closed'; readonly mergeRequest: string; readonly key: string; readonly said: CloseSaid }
  /** Null: nothing is new but that it answers. */
  | {
      readonly type: 'forge_seen';
      readonly mergeRequest: string;
      readonly number: number;
      readonly site: string;
      readonly seen: PullRequest | null;
      /** When it was asked. */
      readonly atMs: number;
    }
  | { readonly type: 'forge_silent'; readonly mergeRequest: string; readonly atMs: number; readonly error: string }
  | {
      readonly type: 'forge_refused';
      readonly mergeRequest: string;
      readonly number: number;
      readonly site: string;
      readonly error: string;
    };

/** What came of closing a pull request. */
type CloseSaid =
  | { readonly state: 'ok'; readonly end: PullEnd; readonly number: number | null; readonly mergeSha: string | null }
  | { readonly state: 'refused'; readonly code: string; readonly error: string };

const FACTS: ReadonlySet<string> = new Set([
  'forge_said',
  'forge_closed',
  'forge_seen',
  'forge_silent',
  'forge_refused',
] satisfies readonly ForgeFact['type'][]);
export const isForgeFact = (fact: { readonly type: string }): fact is ForgeFact => FACTS.has(fact.type);

export const factEvent = (key: string, fact: ForgeFact): NewEvent => ({
  key,
  type: `own.${fact.type}`,
  subject: `bead:${fact.mergeRequest}`,
  payload: fact,
});

type Of<Type extends ForgeFact['type']> = Extract<ForgeFact, { readonly type: Type }>;

/** Records it. A late fact about a former step or a former pull request changes nothing. */
export function applyForgeFact(rig: RigContext, turn: Turn, writer: RigWriter, fact: ForgeFact): void {
  const id = trusted.bead(fact.mergeRequest);
  const proposal = rig.view.proposal(id);
  if (fact.type === 'forge_said') {
    turn.kernel.settleEffect(`forge:${fact.stepKey}`, 'done', null, turn.nowMs);
    if (!writer.proposals.answered(id, fact.stepKey, fact.said))
      journal(turn, id, 'late_result', 'nobody waits for this answer');
  } else if (fact.type === 'forge_closed') closed(turn, writer, proposal, fact);
  else looked(rig, turn, writer, { proposal, fact });
}

/** What a look showed, or why it showed nothing. */
function looked(
  rig: RigContext,
  turn: Turn,
  writer: RigWriter,
  found: { readonly proposal: Proposal | null; readonly fact: Of<'forge_seen' | 'forge_silent' | 'forge_refused'> },
): void {
  const { proposal, fact } = found;
  const id = trusted.bead(fact.mergeRequest);
  if (proposal === null || rig.view.review(id)?.step === 'ended') return;
  if (fact.type === 'forge_silent') silent(turn, writer, proposal, fact);
  else if (proposal.number !== fact.number || (proposal.site ?? fact.site) !== fact.site) return;
  else if (fact.type === 'forge_refused') {
    writer.proposals.change(id, { lookError: fact.error, silentSinceMs: null });
    journal(turn, id, 'forge_refused', fact.error);
  } else seen(turn, writer, proposal, fact);
}

/** An answer to an earlier question changes nothing. */
function closed(turn: Turn, writer: RigWriter, proposal: Proposal | null, { key, said }: Of<'forge_closed'>): void {
  turn.kernel.settleEffect(`forge:${key}`, 'done', null, turn.nowMs);
  if (proposal === null) return;
  const { beadId, closing } = proposal;
  if (closing === null || closing.isTold || closeKey(beadId, closing.asks) !== key) return;
  const found =
    said.state === 'ok'
      ? { state: said.end, number: said.number ?? closing.number, mergeSha: said.mergeSha }
      : { state: said.state, error: said.error };
  const now = { ...closing, ...found };
  writer.proposals.change(beadId, { closing: now });
  journal(turn, beadId, 'pull_request_closed', closingText({ ...proposal, closing: now }) || 'none was opened');
}

const journal = (turn: Turn, id: BeadId, action: string, reason: string): void => {
  turn.journal({ entity: beadRef(id), action, rule: 'events', reason });
};

function silent(turn: Turn, writer: RigWriter, { beadId, silentSinceMs }: Proposal, fact: Of<'forge_silent'>): void {
  if (silentSinceMs !== null) return;
  writer.proposals.change(beadId, { silentSinceMs: fact.atMs });
  journal(turn, beadId, 'forge_silent', `the forge does not answer: ${inert(fact.error)}`);
}

/** News are journalled; that it answers again as well; a look that found nothing new leaves no line. */
function seen(turn: Turn, writer: RigWriter, proposal: Proposal, fact: Of<'forge_seen'>): void {
  const { beadId } = proposal;
  const isBack = proposal.silentSinceMs !== null || proposal.lookError !== null;
  const answers = isBack ? { silentSinceMs: null, lookError: null } : {};
  if (fact.seen !== null && !isSameSight(fact.seen, proposal.seen)) {
    // What holds for so long is counted anew.
    writer.proposals.change(beadId, {
      ...answers,
      seen: fact.seen,
      url: fact.seen.url,
      site: fact.site,
      readyAtMs: null,
    });
    writer.proposals.looked(beadId, fact.atMs);
    journal(turn, beadId, 'pull_request_seen', sightText(fact.seen));
    return;
  }
  if (fact.seen !== null) writer.proposals.retag(beadId, fact.seen);
  writer.proposals.looked(beadId, fact.atMs);
  if (!isBack) return;
  writer.proposals.change(beadId, answers);
  journal(turn, beadId, 'forge_answers', 'the forge answers again');
}
