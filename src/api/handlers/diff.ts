/** What a bead's work changes, for whoever looks at it before it is merged, or after. */
import { createRoute, z } from '@hono/zod-openapi';
import { sectionsOf } from '../../core/diff.ts';
import { precondition } from '../../core/errors.ts';
import { rigAmong } from '../../core/etag.ts';
import { parseBeadId } from '../../core/model/ids.ts';
import { LOCAL_RUNNER } from '../../core/model/runner.ts';
import type { BeadDetail } from '../../core/queries.ts';
import { name } from '../contract/common.ts';
import { beadDiffSchema, type BeadDiffItem, type DiffAnswer } from '../contract/diff.ts';
import { askedOf } from '../runner-away.ts';
import { answers, ownerOnly, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

const get = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/beads/{id}/diff`,
  security: ownerOnly,
  request: { params: z.object({ town: name, id: name }) },
  responses: answers(beadDiffSchema, 'What its work changes: against the target, or what was merged of it'),
});

interface Work {
  readonly of: BeadDiffItem['of'];
  readonly head: string;
  readonly merged: string | null;
  readonly target: string;
}

export function registerDiff(app: App, deps: Deps): void {
  const { gateway } = deps;
  app.openapi(get, async (c) => {
    const bead = await gateway.getBead(parseBeadId(c.req.valid('param').id));
    const work = workOf(bead);
    if (work === null)
      throw precondition(
        'no_work_yet',
        `${bead.id} has no commit yet.`,
        `See what it waits for with "gt why ${bead.id}".`,
      );
    const rig = rigAmong(await gateway.listRigs(), bead.rig);
    const attempt = bead.attemptList.at(-1);
    const runner = attempt === undefined ? LOCAL_RUNNER : await gateway.runners.ofAttempt(attempt.id);
    const answer = await asked(deps, runner, {
      repo: { rig: rig.id, url: rig.url, targetBranch: work.target },
      head: work.head,
      merged: work.merged,
      base: bead.baseSha ?? attempt?.baseSha ?? null,
    });
    return c.json(present(bead.id, work.of, answer), 200);
  });
}

/** Errors: `runner_away`, those of the runner. */
const asked = (
  { diff }: Deps,
  runner: string,
  request: Parameters<NonNullable<Deps['diff']>>[1],
): Promise<DiffAnswer> =>
  askedOf(
    {
      whom: `The runner "${runner}", which has the work,`,
      next: 'Look at the branch with git.',
      look: `gt runner show ${runner}`,
    },
    () => (diff === undefined ? Promise.reject(new Error('no runner shows differences')) : diff(runner, request)),
  );

/** The newest commit that stands for the bead; null: there is none. */
function workOf(bead: BeadDetail): Work | null {
  const { review, evidence } = bead;
  if (review !== null) {
    const { headSha: head, mergeSha: merged, targetBranch: target } = review;
    return { of: merged === null ? 'review' : 'merged', head, merged, target };
  }
  const target = bead.targetBranch;
  const merged = evidence?.mergeSha ?? null;
  if (merged !== null) return { of: 'merged', head: evidence?.head ?? merged, merged, target };
  const head = bead.attemptList.findLast((attempt) => attempt.headSha !== null)?.headSha ?? null;
  return head === null ? null : { of: 'attempt', head, merged: null, target };
}

function present(bead: string, of: Work['of'], answer: DiffAnswer): BeadDiffItem {
  const sections = sectionsOf(answer.files, answer.text, answer.isCut);
  return {
    bead,
    base: answer.base,
    head: answer.head,
    of,
    files: answer.files.map((file, index) => {
      const section = sections[index] ?? null;
      return {
        path: file.path,
        old_path: file.oldPath,
        status: file.status,
        added: file.added,
        removed: file.removed,
        binary: file.added === null,
        shown: section === null ? 'none' : section.cut ? 'part' : 'all',
        hunks: (section?.hunks ?? []).map((hunk) => ({
          header: hunk.header,
          lines: hunk.lines.map((line) => ({ ...line })),
        })),
      };
    }),
    more_files: answer.more,
  };
}
