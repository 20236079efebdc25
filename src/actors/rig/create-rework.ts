import { TITLE_CHARS_MAX } from '../../core/limits.ts';
import { must } from '../../core/assert.ts';
import type { BeadKind } from '../../core/model/bead.ts';
import type { BeadId } from '../../core/model/ids.ts';
import type { ReviewFacts } from '../../core/view.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { RigContext } from './rig-context.ts';

export interface Rework {
  readonly kind: Extract<BeadKind, 'rework' | 'conflict' | 'feedback' | 'review'>;
  readonly title: string;
  readonly body: string;
  readonly createdBy: string;
  readonly isNoRound?: boolean;
  /** Its first attempt waits until then; at once when it is missing. */
  readonly notBeforeMs?: number;
}

/**
 * One more round on a merge request's branch, or a review of it: a bead that blocks the merge request. It inherits the
 * source's origin (and so whether its recipe may run), runtime and priority.
 */
export function createRework(
  rig: RigContext,
  writer: RigWriter,
  review: ReviewFacts,
  rework: Rework,
): { readonly id: BeadId; readonly round: number } {
  const source = must(rig.view.bead(review.sourceBeadId), 'a merge request has its source');
  const reviewer = rework.kind === 'review' ? rig.view.config().reviewer : undefined;
  // A review is no round of work.
  const isRound = reviewer === undefined && rework.isNoRound !== true;
  const round = isRound ? writer.nextRound(review.beadId) : review.rounds;
  const id = rig.mintBead(writer);
  writer.insertBead({
    id,
    type: 'issue',
    kind: rework.kind,
    title: rework.title.slice(0, TITLE_CHARS_MAX),
    body: rework.body,
    origin: source.origin,
    priority: source.priority,
    hold: null,
    holdReason: null,
    parentId: source.id,
    branchOf: source.id,
    convoyId: null,
    convoyPosition: null,
    targetBranch: source.targetBranch,
    runtime: reviewer === undefined ? source.runtime : reviewer.runtime,
    model: reviewer === undefined ? source.model : reviewer.model,
    pinnedAgent: null,
    createdBy: rework.createdBy,
  });
  if (rework.notBeforeMs !== undefined && rework.notBeforeMs > 0)
    writer.updateBead(id, { not_before: rework.notBeforeMs });
  writer.blockers.add(review.beadId, id, 'local', 'open');
  return { id, round };
}
