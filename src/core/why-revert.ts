import type { Bead } from './model/bead.ts';
import type { ConvoyRevert } from './model/revert.ts';
import type { Why } from './queries.ts';
import type { RigView } from './view.ts';

type Waiting = Pick<Why, 'sentence' | 'rule' | 'wakeAtMs'> & { readonly next: string };

const place = (revert: ConvoyRevert): string => `${revert.target} of ${revert.rig}`;

function partOf(revert: ConvoyRevert): string {
  switch (revert.state) {
    case 'ordered':
      return `${place(revert)} is being undone${revert.beadId === null ? '' : ` as ${revert.beadId}`}`;
    case 'reverted':
      return `${place(revert)} is undone`;
    case 'nothing':
      return `${place(revert)} has nothing left of it`;
    default:
      return `${place(revert)} could not be undone (${revert.reason ?? 'given up'})`;
  }
}

/** An ended convoy that is taken back says so, and what its revert waits for. */
export function revertedText<T extends Pick<Why, 'id' | 'sentence' | 'next' | 'command'>>(
  text: T,
  reverts: readonly ConvoyRevert[],
): T {
  if (reverts.length === 0) return text;
  const sentence = `${text.sentence} Its revert: ${reverts.map(partOf).join('; ')}.`;
  const failed = reverts.some((revert) => revert.state === 'failed');
  if (failed)
    return {
      ...text,
      sentence,
      next: 'Asking for the revert again tries once more what could not be undone.',
      command: `gt convoy revert ${text.id}`,
    };
  const running = reverts.find((revert) => revert.state === 'ordered');
  if (running === undefined) return { ...text, sentence };
  const bead = running.beadId;
  return {
    ...text,
    sentence,
    next: bead === null ? `${running.rig} makes its bead.` : `The merge of ${bead}.`,
    command: bead === null ? null : `gt why ${bead}`,
  };
}

/** What an open revert waits for; null when it waits for an agent like any other bead. */
export function whyRevert(view: RigView, bead: Bead): Waiting | null {
  const revert = bead.kind === 'revert' && bead.hold === null ? view.revert(bead.id) : null;
  if (revert === null || revert.state === 'agent') return null;
  return {
    sentence: `The runner undoes ${String(revert.commits.length)} merges of ${revert.convoyId} on ${bead.targetBranch}.`,
    rule: 'revert',
    next: 'The answer of the runner; then it is merged like other work.',
    wakeAtMs: null,
  };
}
