import { attention, type AttentionView, type RigAttentionView } from '../core/attention.ts';
import type { AttentionItem } from '../core/attention-item.ts';
import { prefixOf } from '../core/model/ids.ts';
import { escalationSummary } from './escalation-service.ts';
import type { RigActor } from './rig/rig-actor.ts';
import type { TownActors } from './town-actors.ts';

/** Mails shown one by one; the rest is in the mailbox. */
const MAILS_SHOWN = 20;

/** What needs a person in this town, from committed state. */
export const readAttention = (actors: TownActors, nowMs: number): readonly AttentionItem[] =>
  attention(attentionView(actors), nowMs);

function attentionView(actors: TownActors): AttentionView {
  const { town } = actors;
  const { view } = town.program;
  return {
    rigs: actors.rigs().map(rigAttentionView),
    rigOf: (bead) => {
      const rig = actors.rigByPrefix(prefixOf(bead));
      return rig === null || !rig.view.hasConfig() ? null : rigAttentionView(rig);
    },
    convoys: () => view.liveConvoys().map((convoy) => ({ convoy, beads: view.convoyBeads(convoy.id) })),
    escalations: () => view.escalations(true).map((item) => escalationSummary(actors, item)),
    health: () => town.health(),
    mail: () => town.post.store.list({ recipient: null, unreadOnly: true, limit: MAILS_SHOWN }),
  };
}

const rigAttentionView = ({ view, queries }: RigActor): RigAttentionView => ({
  name: view.config().name,
  view,
  blockers: (bead) => view.blockers(bead),
  heldUp: () => queries.heldUp(),
  questions: () => queries.questions(),
  waiting: () => queries.waiting(),
});
