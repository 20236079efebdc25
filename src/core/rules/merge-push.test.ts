import { PUSH_GRACE_MS } from '../limits.ts';
import { describe, expect, it } from 'vitest';
import { commit, NOW } from '../../../test/support/rig-view-builder.ts';
import { decided, type Round } from '../../../test/support/round-table.ts';

/** What follows from one push of several, whole; that of a single entry is in `merge-decisions.test.ts`. */
function pushed(result: Round['result'], over: Partial<Round> = {}): string {
  const reviews = { a: { candidateSha: commit(20) }, b: { candidateSha: commit(21) } };
  return decided({ step: 'pushing', letters: 'ab', reviews, ...(result === undefined ? {} : { result }), ...over });
}

describe('a push of several', () => {
  it('that arrived merges all of them, each as its own candidate', () => {
    expect(pushed({ result: 'pushed', targetSha: commit(21) })).toMatchInlineSnapshot(`
      "the target has the tested commit
      merge_step {"mergeRequest":"api-mra","fromStep":"pushing","toStep":"ended","job":null,"mergeSha":"c20","heldReason":null}
      transition_bead {"bead":"api-mra","from":"in_progress","to":"closed","closeReason":"merged","evidence":{"head":"c10","mergeSha":"c20","target":"main"}}
      transition_bead {"bead":"api-taska","from":"in_review","to":"closed","closeReason":"merged","evidence":{"head":"c10","mergeSha":"c20","target":"main"}}
      merge_step {"mergeRequest":"api-mrb","fromStep":"pushing","toStep":"ended","job":null,"mergeSha":"c21","heldReason":null}
      transition_bead {"bead":"api-mrb","from":"in_progress","to":"closed","closeReason":"merged","evidence":{"head":"c11","mergeSha":"c21","target":"main"}}
      transition_bead {"bead":"api-taskb","from":"in_review","to":"closed","closeReason":"merged","evidence":{"head":"c11","mergeSha":"c21","target":"main"}}"
    `);
  });

  it('says nothing while one of them has no candidate on record', () => {
    expect(pushed({ result: 'pushed', targetSha: commit(21) }, { reviews: { a: { candidateSha: commit(20) } } })).toBe(
      '',
    );
    expect(pushed({ result: 'branch_ready', head: commit(1) })).toBe('');
  });

  it('that lost its race sends all of them back in line', () => {
    expect(pushed({ result: 'lost_race', targetSha: commit(2) })).toMatchInlineSnapshot(`
      "lost the push race; the target moved
      merge_step {"mergeRequest":"api-mra","fromStep":"pushing","toStep":"queued","job":null,"candidate":null,"races":1,"heldReason":"somebody else pushed to the target first"}
      transition_bead {"bead":"api-mra","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mrb","fromStep":"pushing","toStep":"queued","job":null,"candidate":null,"races":1,"heldReason":"somebody else pushed to the target first"}
      transition_bead {"bead":"api-mrb","from":"in_progress","to":"open"}"
    `);
  });

  it('of one alone that was refused waits for a person, out of the round', () => {
    const refused = { result: 'refused', code: 'secret_found', message: 'A key is in x.ts.' } as const;
    expect(pushed(refused, { letters: 'a' }).split('\n').slice(0, 4)).toEqual([
      'what would be pushed looks like a key',
      'merge_step {"mergeRequest":"api-mra","fromStep":"pushing","toStep":"queued","job":null,"candidate":null,"heldReason":"A key is in x.ts."}',
      'transition_bead {"bead":"api-mra","from":"in_progress","to":"open"}',
      expect.stringContaining('hold_bead'),
    ]);
  });

  it('that was refused tells them apart', () => {
    expect(pushed({ result: 'refused', code: 'secret', message: 'A key is in x.ts.' } as never)).toMatchInlineSnapshot(`
      "what would be pushed looks like a key
      merge_step {"mergeRequest":"api-mra","fromStep":"pushing","toStep":"queued","job":null,"candidate":null,"heldReason":"the push with others was refused; they are pushed apart","suspect":"push:api-mra:3"}
      transition_bead {"bead":"api-mra","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mrb","fromStep":"pushing","toStep":"queued","job":null,"candidate":null,"heldReason":"the push with others was refused; they are pushed apart","suspect":"push:api-mra:3"}
      transition_bead {"bead":"api-mrb","from":"in_progress","to":"open"}"
    `);
  });

  it('that was refused carries out a cancel, and tells the others apart', () => {
    const sources = { b: { cancelRequestedAtMs: NOW } };
    const refused = { result: 'refused', code: 'secret_found', message: 'A key is in x.ts.' } as const;
    const lines = pushed(refused, { sources }).split('\n');
    expect(lines[1]).toContain('"suspect":"push:api-mra:3"');
    expect(lines.at(-1)).toContain('"bead":"api-taskb","from":"in_review","to":"closed","closeReason":"cancelled"');
  });

  it('that nobody answers in time goes to the back, and counts as one that may have landed', () => {
    const reviews = {
      a: { candidateSha: commit(20), deadlineAtMs: NOW - PUSH_GRACE_MS },
      b: { candidateSha: commit(21) },
    };
    expect(pushed(undefined, { reviews })).toMatchInlineSnapshot(`
      "the step is overdue
      merge_step {"mergeRequest":"api-mra","fromStep":"pushing","toStep":"queued","job":null,"heldReason":"its push was not taken before the deadline","requeueAtMs":"+0","suspect":"push:api-mra:3"}
      transition_bead {"bead":"api-mra","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mrb","fromStep":"pushing","toStep":"queued","job":null,"heldReason":"its push was not taken before the deadline","requeueAtMs":"+0","suspect":"push:api-mra:3"}
      transition_bead {"bead":"api-mrb","from":"in_progress","to":"open"}
      raise_escalation {"causeKey":"bead:api-mra","severity":"high","category":"merge","subject":"bead:api-mra","message":"api-mra has been pushing past its deadline; the runner or its git host does not answer, or refuses."}"
    `);
  });
});
