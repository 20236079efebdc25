import { describe, expect, it } from 'vitest';
import { NOW } from '../../../test/support/rig-view-builder.ts';
import { decided, probe, type Round } from '../../../test/support/round-table.ts';

/** What follows from the gates of a round of several, whole; that of a single entry is in `merge-decisions.test.ts`. */
function judged(letters: string, probes: readonly (string | ReturnType<typeof probe>)[], over: Partial<Round> = {}) {
  const all = probes.map((one) => (typeof one === 'string' ? probe(one) : one));
  return decided({ step: 'gating', letters, probes: all, ...over });
}
const alone = { suspect: 'alone:x' };
const LINT = { name: 'lint', exitCode: 1, timedOut: false, durationMs: 1, tail: 'unused' };
const RED_TRAIN = {
  state: 'red',
  redTree: 'target',
  reason: 'gate test is red on main itself',
  retryAtMs: NOW - 1,
} as const;

describe('the gates of a round of several', () => {
  it('land all of it with one push when the whole is green', () => {
    expect(judged('abc', ['abc green'])).toMatchInlineSnapshot(`
      "all gates are green on the combined tree
      merge_step {"mergeRequest":"api-mra","fromStep":"gating","toStep":"pushing","job":{"kind":"push","key":"push:api-mra:16:3","repo":{"rig":"api","url":"/remotes/api.git","targetBranch":"main"},"mergeRequest":"api-mra","candidate":"c22","expectedOld":"c1","notAfterMs":"+120000"},"deadlineAtMs":"+120000","candidate":{"sha":"c20","tree":"a","targetSha":"c1"},"position":0,"suspect":null,"gateSignature":null,"gateKills":0}
      merge_step {"mergeRequest":"api-mrb","fromStep":"gating","toStep":"pushing","job":null,"deadlineAtMs":"+120000","candidate":{"sha":"c21","tree":"ab","targetSha":"c1"},"position":1,"suspect":null,"gateSignature":null,"gateKills":0}
      merge_step {"mergeRequest":"api-mrc","fromStep":"gating","toStep":"pushing","job":null,"deadlineAtMs":"+120000","candidate":{"sha":"c22","tree":"abc","targetSha":"c1"},"position":2,"suspect":null,"gateSignature":null,"gateKills":0}
      train_learn {"target":"main","seen":{"landed":3,"bad":0,"runs":1,"flakes":0}}"
    `);
  });

  it('land the longest list that passed; the rest is suspected together or passed as well', () => {
    expect(judged('abcde', ['ab green', 'cde red'])).toMatchInlineSnapshot(`
      "all gates are green on the combined tree of 2
      merge_step {"mergeRequest":"api-mrc","fromStep":"gating","toStep":"queued","job":null,"heldReason":"was red together with others; they are tested apart","suspect":"red:api-mra:3:2*3"}
      transition_bead {"bead":"api-mrc","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mrd","fromStep":"gating","toStep":"queued","job":null,"heldReason":"was red together with others; they are tested apart","suspect":"red:api-mra:3:2*3"}
      transition_bead {"bead":"api-mrd","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mre","fromStep":"gating","toStep":"queued","job":null,"heldReason":"was red together with others; they are tested apart","suspect":"red:api-mra:3:2*3"}
      transition_bead {"bead":"api-mre","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mra","fromStep":"gating","toStep":"pushing","job":{"kind":"push","key":"push:api-mra:15:3","repo":{"rig":"api","url":"/remotes/api.git","targetBranch":"main"},"mergeRequest":"api-mra","candidate":"c21","expectedOld":"c1","notAfterMs":"+120000"},"deadlineAtMs":"+120000","candidate":{"sha":"c20","tree":"a","targetSha":"c1"},"position":0,"suspect":null,"gateSignature":null,"gateKills":0}
      merge_step {"mergeRequest":"api-mrb","fromStep":"gating","toStep":"pushing","job":null,"deadlineAtMs":"+120000","candidate":{"sha":"c21","tree":"ab","targetSha":"c1"},"position":1,"suspect":null,"gateSignature":null,"gateKills":0}
      train_learn {"target":"main","seen":{"landed":2,"bad":0,"runs":2,"flakes":0}}"
    `);
    expect(judged('abc', ['ab green', 'c green'])).toMatchInlineSnapshot(`
      "all gates are green on the combined tree of 2
      merge_step {"mergeRequest":"api-mrc","fromStep":"gating","toStep":"queued","job":null,"heldReason":"passed; it lands with the next list that does","suspect":"good"}
      transition_bead {"bead":"api-mrc","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mra","fromStep":"gating","toStep":"pushing","job":{"kind":"push","key":"push:api-mra:15:3","repo":{"rig":"api","url":"/remotes/api.git","targetBranch":"main"},"mergeRequest":"api-mra","candidate":"c21","expectedOld":"c1","notAfterMs":"+120000"},"deadlineAtMs":"+120000","candidate":{"sha":"c20","tree":"a","targetSha":"c1"},"position":0,"suspect":null,"gateSignature":null,"gateKills":0}
      merge_step {"mergeRequest":"api-mrb","fromStep":"gating","toStep":"pushing","job":null,"deadlineAtMs":"+120000","candidate":{"sha":"c21","tree":"ab","targetSha":"c1"},"position":1,"suspect":null,"gateSignature":null,"gateKills":0}
      train_learn {"target":"main","seen":{"landed":2,"bad":0,"runs":2,"flakes":0}}"
    `);
  });

  it('wait for lists that can change what lands, and for no others', () => {
    expect(judged('abc', ['abc running', 'ab green'])).toBe('');
    expect(judged('abc', ['abc green', 'ab running']).split('\n')[0]).toBe('all gates are green on the combined tree');
    expect(judged('abc', ['abc green', ' running'])).toBe('');
  });

  it('blame one that is red by itself again while the target passes, and say how', () => {
    expect(judged('ab', [' green', 'a red', 'b green'], { reviews: { a: { ...alone, rounds: 1 } } }))
      .toMatchInlineSnapshot(`
        "gate test is red
        merge_step {"mergeRequest":"api-mra","fromStep":"gating","toStep":"reworking","job":null,"candidate":null,"heldReason":"gate test is red","gateLog":"It ended with exit code 1. The end of its output:\\n\\nred","gateSignature":"test/1/40f480dc846236ce","gateKills":0}
        transition_bead {"bead":"api-mra","from":"in_progress","to":"open"}
        create_rework {"mergeRequest":"api-mra","kind":"rework","title":"Make the gate \\"test\\" green","body":"The gate \\"test\\" failed on the result of merging gt/api-taska into main, twice, while main by itself passed.\\n\\nIt ended with exit code 1. The end of its output:\\n\\nred","notBeforeMs":"+30000","preferAgent":null}
        merge_step {"mergeRequest":"api-mrb","fromStep":"gating","toStep":"pushing","job":{"kind":"push","key":"push:api-mrb:15:3","repo":{"rig":"api","url":"/remotes/api.git","targetBranch":"main"},"mergeRequest":"api-mrb","candidate":"c21","expectedOld":"c1","notAfterMs":"+120000"},"deadlineAtMs":"+120000","candidate":{"sha":"c21","tree":"b","targetSha":"c1"},"position":0,"suspect":null,"gateSignature":null,"gateKills":0}
        train_learn {"target":"main","seen":{"landed":1,"bad":1,"runs":3,"flakes":0}}"
      `);
  });

  it('blame nobody without two runs of its own, or while the target has not passed', () => {
    for (const [probes, reviews] of [
      [['a red', 'b green'], { a: alone }],
      [[' green', 'a red', 'b green'], {}],
      [[' running', 'b green', 'a red'], { a: alone }],
      [[' green', 'ab red'], { a: alone, b: alone }],
    ] as const)
      expect(judged('ab', probes, { reviews })).not.toContain('create_rework');
  });

  it('blame one for the run of its own alone, with what that said', () => {
    const twice = judged('ab', [' green', 'a red', probe('b red', { run: { ...LINT } })], {
      reviews: { a: alone, b: alone },
    });
    const titles = [...twice.matchAll(/"mergeRequest":"(api-mr.)","kind":"rework","title":"([^,]*)",/g)];
    expect(titles.map(([, of, title]) => [of, title])).toEqual([
      ['api-mra', 'Make the gate \\"test\\" green'],
      ['api-mrb', 'Make the gate \\"lint\\" green'],
    ]);
    // Red together with one that passed, or suspected for what does not go together, is no run of its own.
    expect(judged('ab', [' green', 'b green', 'ab red'], { reviews: { a: alone } })).not.toContain('create_rework');
    const apart = [' green', 'a green', 'bc green', 'ab red'];
    expect(judged('abc', apart, { reviews: { a: alone } })).not.toContain('create_rework');
  });

  it('blame one, and send another who is only suspected back in line', () => {
    const both = judged('abc', [' green', 'a red', 'b green', 'c red'], { reviews: { a: alone } });
    expect(both).toContain('"mergeRequest":"api-mra","kind":"rework"');
    expect(both).toContain('"mergeRequest":"api-mrc","fromStep":"gating","toStep":"queued"');
  });

  it('say nothing of one that was in no list, and know nobody who left', () => {
    expect(judged('abc', ['ab green'])).toContain(
      '"mergeRequest":"api-mrc","fromStep":"gating","toStep":"queued","job":null,"heldReason":null,"suspect":null}',
    );
    const known = judged('a', ['ax green']);
    expect(known).toContain('"mergeRequest":"api-mra","candidate":"c20"');
    expect(known).not.toContain('api-mrx');
  });

  it('count runs that have an answer', () => {
    expect(judged('abc', ['abc green', 'ab running'])).toContain('"runs":1');
    expect(judged('abc', ['abc green', 'ab red'])).toContain('"runs":2');
  });

  it('count a run that was known as none, and a flake of its own only', () => {
    const known = judged('abc', [probe('ab green', { cached: true }), 'c red'], { reviews: { a: alone } });
    expect(known).toContain('"seen":{"landed":2,"bad":0,"runs":1,"flakes":0}');
    const flaky = judged('ab', ['ab green'], { reviews: { a: alone } });
    expect(flaky).toContain('"seen":{"landed":2,"bad":0,"runs":1,"flakes":1}');
    expect(flaky).toContain('"flakes":1,"gateSignature":null');
  });

  it('move the suspicion of a group whose others passed', () => {
    expect(judged('ab', ['a green', 'b red'], { reviews: { a: { suspect: 'red:x*3' }, b: { suspect: 'red:x*3' } } }))
      .toMatchInlineSnapshot(`
        "all gates are green on the combined tree of 1
        merge_step {"mergeRequest":"api-mrb","fromStep":"gating","toStep":"queued","job":null,"heldReason":"was red by itself; it is run again before it is given back","suspect":"alone:api-mra:3:1"}
        transition_bead {"bead":"api-mrb","from":"in_progress","to":"open"}
        change_suspicion {"target":"main","mark":"red:x*3","to":null}
        merge_step {"mergeRequest":"api-mra","fromStep":"gating","toStep":"pushing","job":{"kind":"push","key":"push:api-mra:14:3","repo":{"rig":"api","url":"/remotes/api.git","targetBranch":"main"},"mergeRequest":"api-mra","candidate":"c20","expectedOld":"c1","notAfterMs":"+120000"},"deadlineAtMs":"+120000","candidate":{"sha":"c20","tree":"a","targetSha":"c1"},"position":0,"suspect":null,"gateSignature":null,"gateKills":0}
        train_learn {"target":"main","seen":{"landed":1,"bad":0,"runs":2,"flakes":0}}"
      `);
  });
});

describe('a target that is red itself', () => {
  it('stops its train, tells a person once, and blames nobody', () => {
    expect(judged('ab', [' red', 'a red', 'b red'], { reviews: { a: alone } })).toMatchInlineSnapshot(`
      "the target itself is red
      merge_step {"mergeRequest":"api-mra","fromStep":"gating","toStep":"queued","job":null,"heldReason":"main itself is red; nobody's work is blamed","suspect":null}
      transition_bead {"bead":"api-mra","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mrb","fromStep":"gating","toStep":"queued","job":null,"heldReason":"main itself is red; nobody's work is blamed","suspect":null}
      transition_bead {"bead":"api-mrb","from":"in_progress","to":"open"}
      train_state {"target":"main","state":"red","reason":"gate test is red on main itself","redTree":"target","retryAtMs":"+300000"}
      raise_escalation {"causeKey":"train:main","severity":"high","category":"merge","subject":"train:main","message":"The merge train of main stands: gate test is red on main itself, without any of the work that waits. Mend main, or sling the repair; new work is tried at once, and every 5 min main by itself or, in turn, one that waits.\\n\\nIt ended with exit code 1. The end of its output:\\n\\nred"}"
    `);
    expect(judged('a', [' red', 'a red'], { train: { escalated: true } })).not.toContain('raise_escalation');
    const unseen = judged('a', ['a red'], { train: RED_TRAIN });
    expect(unseen).toContain('by itself or, in turn, one that waits."}');
  });

  it('stays so as long as nothing passes, and is tried again later', () => {
    const still = { ...RED_TRAIN, escalated: true };
    expect(judged('a', ['a red'], { train: still })).toMatchInlineSnapshot(`
      "nothing can land yet; what is suspected is tested apart
      merge_step {"mergeRequest":"api-mra","fromStep":"gating","toStep":"queued","job":null,"heldReason":"main itself is red; nobody's work is blamed","suspect":null}
      transition_bead {"bead":"api-mra","from":"in_progress","to":"open"}
      train_state {"target":"main","state":"red","reason":"gate test is red on main itself","redTree":"target","retryAtMs":"+300000"}"
    `);
    const later = judged('a', ['a red'], { train: { ...still, retryAtMs: NOW + 7 } });
    expect(later).toContain('"retryAtMs":"+7"');
    expect(judged('a', [' red', 'a red'], { train: { ...still, retryAtMs: NOW + 7 } })).toContain(
      '"retryAtMs":"+300000"',
    );
    expect(judged('a', ['a red'], { train: { ...still, retryAtMs: NOW } })).toContain('"retryAtMs":"+300000"');
    expect(judged('a', ['a red'], { train: { ...still, retryAtMs: null } })).toContain('"retryAtMs":"+300000"');
    expect(judged('a', ['a red'], { train: { ...still, reason: null } })).toContain('"reason":"the target is red"');
  });

  it.each([
    ['something lands', ['a green']],
    ['the target itself passes', [' green', 'a red']],
  ] as const)('goes on when %s', (_name, probes) => {
    const running = `train_state {"target":"main","state":"running","reason":null,"redTree":null,"retryAtMs":null}`;
    const quiet = judged('a', probes, { train: RED_TRAIN });
    expect(quiet).toContain(running);
    expect(quiet).not.toContain('resolve_escalation');
    expect(judged('a', probes, { train: { ...RED_TRAIN, escalated: true } })).toContain(
      `${running}\nresolve_escalation {"causeKey":"train:main","bead":null}`,
    );
  });

  it('that passes by itself now leaves the red of the others to them', () => {
    const passes = judged('a', [' green', 'a red'], { train: RED_TRAIN, reviews: { a: alone } });
    expect(passes).toContain('create_rework');
    expect(passes).toContain('train_learn');
    expect(judged('a', [' green', 'a red'], { train: RED_TRAIN })).toContain('was red by itself');
  });

  it('behind a pause is left to the person, and still blames nobody', () => {
    const paused = { ...RED_TRAIN, state: 'paused' } as const;
    expect(judged('ab', ['ab red'], { train: paused, reviews: { a: alone } })).toMatchInlineSnapshot(`
      "nothing can land yet; what is suspected is tested apart
      merge_step {"mergeRequest":"api-mra","fromStep":"gating","toStep":"queued","job":null,"heldReason":"main itself is red; nobody's work is blamed","suspect":null}
      transition_bead {"bead":"api-mra","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mrb","fromStep":"gating","toStep":"queued","job":null,"heldReason":"main itself is red; nobody's work is blamed","suspect":null}
      transition_bead {"bead":"api-mrb","from":"in_progress","to":"open"}"
    `);
    expect(judged('a', ['a red'], { train: { ...paused, redTree: null } })).toContain('train_learn');
    expect(judged('a', [' red', 'a red'], { train: paused })).not.toContain('train_state');
  });
});
