import { attention, beadOfCause, type AttentionView } from '../core/attention.ts';
import type { AttentionItem } from '../core/attention-item.ts';
import type { BeadId } from '../core/model/ids.ts';
import { prefixOf } from '../core/model/ids.ts';
import { escalationSummary } from './escalation-service.ts';
import { askAll, type AskedRig } from './asked.ts';
import type { TownActors } from './town-actors.ts';

/** Mails shown one by one; the rest is in the mailbox. */
const MAILS_SHOWN = 20;

/** What needs a person in this town, from committed state. Each rig is asked once. */
export async function readAttention(actors: TownActors): Promise<readonly AttentionItem[]> {
  const { town } = actors;
  const { view } = town.program;
  const open = view.escalations(true);
  const byRig = new Map<AskedRig, BeadId[]>(actors.rigs().map((rig) => [rig, []]));
  for (const { causeKey } of open) {
    const bead = beadOfCause(causeKey);
    const rig = bead === null ? null : actors.rigByPrefix(prefixOf(bead));
    if (bead !== null && rig !== null) byRig.get(rig)?.push(bead);
  }
  const findings = await askAll([...byRig], ([rig, asked]) => rig.attention(asked));
  const escalations = await Promise.all(open.map((item) => escalationSummary(actors, item)));
  const read: AttentionView = {
    convoys: () => view.liveConvoys().map((convoy) => ({ convoy, beads: view.convoyBeads(convoy.id) })),
    escalations: () => escalations,
    health: () => town.health(),
    refusedSettings: () => actors.refusedSettings?.() ?? null,
    runnerTrouble: () => actors.runnerTrouble?.() ?? null,
    mail: () => town.post.store.list({ recipient: null, unreadOnly: true, limit: MAILS_SHOWN }),
  };
  return attention(read, findings);
}
