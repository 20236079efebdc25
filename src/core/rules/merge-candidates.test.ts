import { describe, expect, it } from 'vitest';
import { candidates, decided, entriesOf, type Round } from '../../../test/support/round-table.ts';
import { commit, NOW } from '../../../test/support/rig-view-builder.ts';
import type { JobResult } from '../facts.ts';

/** What follows from the merges of a round of several, whole; that of a single entry is in `merge-decisions.test.ts`. */
const merged = (letters: string, over: Partial<Round>): string => decided({ step: 'preparing', letters, ...over });
/** Where the target was before people took something out of it. */
const TIP = 'abcdef012345'.padEnd(40, '6');
const TIP_SHOWN = `c${String(Number.parseInt(TIP, 16))}`;
const leftOut = (letter: string, why: object) => ({ mergeRequest: entriesOf(letter)[0]?.mergeRequest ?? '', ...why });

describe('a round of several that merged', () => {
  it('tests its list together, each entry with the candidate of its place', () => {
    expect(merged('abc', { result: candidates(['abc']) })).toMatchInlineSnapshot(`
      "clean merges; gates run on their trees
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":0,"candidate":{"sha":"c20","tree":"a","targetSha":"c1"}}
      merge_step {"mergeRequest":"api-mrb","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":1,"candidate":{"sha":"c21","tree":"ab","targetSha":"c1"}}
      merge_step {"mergeRequest":"api-mrc","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":2,"candidate":{"sha":"c22","tree":"abc","targetSha":"c1"}}
      order_probes api-mra
        api-mra api-mrb api-mrc {"key":"gates:api-mra:16:3","entries":3,"targetSha":"c1","commit":"c22","tree":"abc","job":"gates:api-mra:16:3"}"
    `);
  });

  it('tests as many lists as there are lanes; who is in none goes back', () => {
    expect(merged('abc', { result: candidates(['ab', 'c']), lanes: 2 })).toMatchInlineSnapshot(`
      "clean merges; gates run on their trees
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":0,"candidate":{"sha":"c20","tree":"a","targetSha":"c1"}}
      merge_step {"mergeRequest":"api-mrb","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":1,"candidate":{"sha":"c21","tree":"ab","targetSha":"c1"}}
      merge_step {"mergeRequest":"api-mrc","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":2,"candidate":{"sha":"c22","tree":"c","targetSha":"c1"}}
      order_probes api-mra
        api-mra api-mrb {"key":"gates:api-mra:15:3","entries":2,"targetSha":"c1","commit":"c21","tree":"ab","job":"gates:api-mra:15:3"}
        api-mrc {"key":"gates:api-mra:16:3","entries":1,"targetSha":"c1","commit":"c22","tree":"c","job":"gates:api-mra:16:3"}"
    `);
    expect(merged('abc', { result: candidates(['ab', 'c']) })).toMatchInlineSnapshot(`
      "clean merges; gates run on their trees
      merge_step {"mergeRequest":"api-mrc","fromStep":"preparing","toStep":"queued","job":null,"heldReason":null}
      transition_bead {"bead":"api-mrc","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":0,"candidate":{"sha":"c20","tree":"a","targetSha":"c1"}}
      merge_step {"mergeRequest":"api-mrb","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":1,"candidate":{"sha":"c21","tree":"ab","targetSha":"c1"}}
      order_probes api-mra
        api-mra api-mrb {"key":"gates:api-mra:15:3","entries":2,"targetSha":"c1","commit":"c21","tree":"ab","job":"gates:api-mra:15:3"}"
    `);
  });

  it('tests the same commit once, and the target by itself', () => {
    expect(merged('ab', { result: candidates(['ab', 'b', '']), lanes: 4 })).toMatchInlineSnapshot(`
      "clean merges; gates run on their trees
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":0,"candidate":{"sha":"c20","tree":"a","targetSha":"c1"}}
      merge_step {"mergeRequest":"api-mrb","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":1,"candidate":{"sha":"c21","tree":"ab","targetSha":"c1"}}
      order_probes api-mra
        api-mra api-mrb {"key":"gates:api-mra:15:3","entries":2,"targetSha":"c1","commit":"c21","tree":"ab","job":"gates:api-mra:15:3"}
         {"key":"gates:api-mra:1:3","entries":0,"targetSha":"c1","commit":"c1","tree":"target","job":"gates:api-mra:1:3"}"
    `);
  });

  it('lets those go that are there already, conflict, or have to wait for one before them', () => {
    const result = candidates(['a'], {
      leftOut: [
        leftOut('b', { why: 'merged', mergeSha: commit(9) }),
        leftOut('c', { why: 'conflict', paths: ['x.ts'], message: 'details' }),
        leftOut('d', { why: 'behind', paths: ['y.ts', 'z.ts'] }),
      ] as never,
    });
    const reviews = { e: { heldReason: 'waits for something' } };
    expect(merged('abcde', { result, reviews })).toMatchInlineSnapshot(`
      "clean merge; gates run on its tree
      merge_step {"mergeRequest":"api-mrb","fromStep":"preparing","toStep":"ended","job":null,"mergeSha":"c9","heldReason":null}
      transition_bead {"bead":"api-mrb","from":"in_progress","to":"closed","closeReason":"merged","evidence":{"head":"c11","mergeSha":"c9","target":"main"}}
      transition_bead {"bead":"api-taskb","from":"in_review","to":"closed","closeReason":"merged","evidence":{"head":"c11","mergeSha":"c9","target":"main"}}
      merge_step {"mergeRequest":"api-mrc","fromStep":"preparing","toStep":"reworking","job":null,"candidate":null,"heldReason":"conflicts with main in x.ts"}
      transition_bead {"bead":"api-mrc","from":"in_progress","to":"open"}
      create_rework {"mergeRequest":"api-mrc","kind":"conflict","title":"Resolve the conflict with main","body":"gt/api-taskc and main (at 1) changed the same places:\\n\\n- x.ts\\n\\nMerge 1 into the branch, keep both changes, then call \\"gt done\\".\\n\\ndetails","notBeforeMs":0,"preferAgent":null}
      merge_step {"mergeRequest":"api-mrd","fromStep":"preparing","toStep":"queued","job":null,"heldReason":"conflicts in y.ts, z.ts with one before it, which goes first"}
      transition_bead {"bead":"api-mrd","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mre","fromStep":"preparing","toStep":"queued","job":null,"heldReason":"waits for something"}
      transition_bead {"bead":"api-mre","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":0,"candidate":{"sha":"c20","tree":"a","targetSha":"c1"}}
      order_probes api-mra
        api-mra {"key":"gates:api-mra:14:3","entries":1,"targetSha":"c1","commit":"c20","tree":"a","job":"gates:api-mra:14:3"}"
    `);
  });

  it('keeps one for a person that is the merge of another bead, and goes on with the rest', () => {
    const others = leftOut('b', { why: 'merged', mergeSha: commit(9), madeFor: 'api-mrz' });
    const lines = merged('ab', { result: candidates(['a'], { leftOut: [others] as never }) }).split('\n');
    expect(lines.filter((line) => line.includes('api-mrb') || line.includes('escalation'))).toEqual([
      'merge_step {"mergeRequest":"api-mrb","fromStep":"preparing","toStep":"queued","job":null,"candidate":null,"heldReason":"its branch holds the merge of another bead and nothing of its own"}',
      'transition_bead {"bead":"api-mrb","from":"in_progress","to":"open"}',
      expect.stringContaining('hold_bead {"bead":"api-mrb","hold":"needs_human"'),
      expect.stringContaining('the merge of api-mrz'),
    ]);
    expect(lines.some((line) => line.includes('"toStep":"gating"'))).toBe(true);
  });

  it('keeps one for a person that would bring back what people took out, and goes on with the rest', () => {
    const revives = leftOut('b', { why: 'revives', from: TIP, commits: 3 });
    const lines = merged('ab', { result: candidates(['a'], { leftOut: [revives] as never }) }).split('\n');
    const what = '3 commits that people took out of main (it was at abcdef012345)';
    expect(lines.filter((line) => line.includes('api-mrb') || line.includes('escalation'))).toEqual([
      `merge_step {"mergeRequest":"api-mrb","fromStep":"preparing","toStep":"queued","job":null,"candidate":null,"heldReason":"would bring back ${what}","mayRevive":["${TIP_SHOWN}"]}`,
      'transition_bead {"bead":"api-mrb","from":"in_progress","to":"open"}',
      expect.stringContaining('hold_bead {"bead":"api-mrb","hold":"needs_human"'),
      expect.stringContaining(`it would bring back ${what}`),
    ]);
    expect(lines.some((line) => line.includes('"toStep":"gating"'))).toBe(true);
  });

  it('does not test again what passed, nor what can change nothing then', () => {
    const known = { tested: ['ab'] };
    expect(merged('abc', { result: candidates(['abc', 'ab', 'a']), lanes: 4, world: known })).toMatchInlineSnapshot(`
      "clean merges; gates run on their trees
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":0,"candidate":{"sha":"c20","tree":"a","targetSha":"c1"}}
      merge_step {"mergeRequest":"api-mrb","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":1,"candidate":{"sha":"c21","tree":"ab","targetSha":"c1"}}
      merge_step {"mergeRequest":"api-mrc","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":2,"candidate":{"sha":"c22","tree":"abc","targetSha":"c1"}}
      order_probes api-mra
        api-mra api-mrb {"key":"gates:api-mra:15:3","entries":2,"targetSha":"c1","commit":"c21","tree":"ab","job":null}
        api-mra api-mrb api-mrc {"key":"gates:api-mra:16:3","entries":3,"targetSha":"c1","commit":"c22","tree":"abc","job":"gates:api-mra:16:3"}"
    `);
    const two = { tested: ['a', 'ab', 'target'] };
    expect(merged('abc', { result: candidates(['', 'a', 'ab', 'b', 'c']), lanes: 4, world: two }))
      .toMatchInlineSnapshot(`
      "clean merges; gates run on their trees
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":0,"candidate":{"sha":"c20","tree":"a","targetSha":"c1"}}
      merge_step {"mergeRequest":"api-mrb","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":1,"candidate":{"sha":"c21","tree":"ab","targetSha":"c1"}}
      merge_step {"mergeRequest":"api-mrc","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":2,"candidate":{"sha":"c22","tree":"c","targetSha":"c1"}}
      order_probes api-mra
         {"key":"gates:api-mra:1:3","entries":0,"targetSha":"c1","commit":"c1","tree":"target","job":null}
        api-mra {"key":"gates:api-mra:14:3","entries":1,"targetSha":"c1","commit":"c20","tree":"a","job":null}
        api-mra api-mrb {"key":"gates:api-mra:15:3","entries":2,"targetSha":"c1","commit":"c21","tree":"ab","job":null}
        api-mrc {"key":"gates:api-mra:16:3","entries":1,"targetSha":"c1","commit":"c22","tree":"c","job":"gates:api-mra:16:3"}"
    `);
  });

  it('measures what is open by the longest list that passed, the first of those of one length', () => {
    const ordered = (lists: readonly string[], tested: readonly string[]): readonly string[] =>
      merged('abcd', { result: candidates(lists), lanes: 4, world: { tested } })
        .split('\n')
        .flatMap((line) => /^ {2}(.*) \{.*"job":"gates/.exec(line)?.[1] ?? []);
    // The tree of a list is named like its letters.
    expect(ordered(['abc', 'd', 'ab'], ['abc', 'd'])).toEqual([]);
    expect(ordered(['ab', 'cd', 'a'], ['ab', 'cd'])).toEqual([]);
    expect(ordered(['ab', 'cd', 'c'], ['ab', 'cd'])).toEqual(['api-mrc']);
  });

  it('gives gates the time of as many waves as there are lists to run, not of those that are known', () => {
    const until = (lists: readonly string[], tested: readonly string[]): string | undefined =>
      /"toStep":"gating".*?"deadlineAtMs":"\+(\d+)"/.exec(
        merged('abcde', { result: candidates(lists), lanes: 8, world: { tested } }),
      )?.[1];
    const [one, two] = ['901000', '902000'];
    expect(until(['a', 'b', 'c', 'd'], [])).toBe(one);
    expect(until(['a', 'b', 'c', 'd', 'e'], [])).toBe(two);
    expect(until(['a', 'b', 'c', 'd', 'e'], ['e'])).toBe(one);
  });

  it('asks a moved target first when it was red, and one that did not move in its place', () => {
    const result = candidates(['a', '', 'b']);
    const red = { state: 'red', redTree: 'other' } as const;
    expect(merged('ab', { result, train: red, lanes: 1 })).toMatchInlineSnapshot(`
      "clean merge; gates run on its tree
      merge_step {"mergeRequest":"api-mrb","fromStep":"preparing","toStep":"queued","job":null,"heldReason":null}
      transition_bead {"bead":"api-mrb","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":0}
      order_probes api-mra
         {"key":"gates:api-mra:1:3","entries":0,"targetSha":"c1","commit":"c1","tree":"target","job":"gates:api-mra:1:3"}"
    `);
    // With more lanes the others are asked too, each once.
    const asked = merged('ab', { result, train: red, lanes: 3 });
    expect(asked.slice(asked.indexOf('order_probes'))).toMatchInlineSnapshot(`
      "order_probes api-mra
         {"key":"gates:api-mra:1:3","entries":0,"targetSha":"c1","commit":"c1","tree":"target","job":"gates:api-mra:1:3"}
        api-mra {"key":"gates:api-mra:14:3","entries":1,"targetSha":"c1","commit":"c20","tree":"a","job":"gates:api-mra:14:3"}
        api-mrb {"key":"gates:api-mra:15:3","entries":1,"targetSha":"c1","commit":"c21","tree":"b","job":"gates:api-mra:15:3"}"
    `);
    expect(merged('ab', { result, train: { ...red, redTree: 'target' }, lanes: 1 })).toMatchInlineSnapshot(`
      "clean merge; gates run on its tree
      merge_step {"mergeRequest":"api-mrb","fromStep":"preparing","toStep":"queued","job":null,"heldReason":null}
      transition_bead {"bead":"api-mrb","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":0,"candidate":{"sha":"c20","tree":"a","targetSha":"c1"}}
      order_probes api-mra
        api-mra {"key":"gates:api-mra:14:3","entries":1,"targetSha":"c1","commit":"c20","tree":"a","job":"gates:api-mra:14:3"}"
    `);
    expect(merged('ab', { result, train: { ...red, state: 'running' }, lanes: 1 })).toMatchInlineSnapshot(`
      "clean merge; gates run on its tree
      merge_step {"mergeRequest":"api-mrb","fromStep":"preparing","toStep":"queued","job":null,"heldReason":null}
      transition_bead {"bead":"api-mrb","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":0,"candidate":{"sha":"c20","tree":"a","targetSha":"c1"}}
      order_probes api-mra
        api-mra {"key":"gates:api-mra:14:3","entries":1,"targetSha":"c1","commit":"c20","tree":"a","job":"gates:api-mra:14:3"}"
    `);
  });

  it('tests the leader alone when an older runner says nothing of lists, nor of the target', () => {
    const { made: _made, targetTree: _tree, ...older } = candidates([]);
    expect(merged('ab', { result: older })).toMatchInlineSnapshot(`
      "clean merge; gates run on its tree
      merge_step {"mergeRequest":"api-mrb","fromStep":"preparing","toStep":"queued","job":null,"heldReason":null}
      transition_bead {"bead":"api-mrb","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"gating","job":null,"deadlineAtMs":"+901000","position":0,"candidate":{"sha":"c20","tree":"a","targetSha":"c1"}}
      order_probes api-mra
        api-mra {"key":"gates:api-mra:14:3","entries":1,"targetSha":"c1","commit":"c20","tree":"a","job":"gates:api-mra:14:3"}"
    `);
    expect(merged('ab', { result: { ...older, made: [{ list: 0, entries: [] }] } })).toMatchInlineSnapshot(`
      "nothing to test
      dissolve_round {"target":"main","except":"api-mra","reason":"nothing to test"}
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"queued","job":null,"heldReason":null}
      transition_bead {"bead":"api-mra","from":"in_progress","to":"open"}"
    `);
  });

  it('with nothing to test goes back in line', () => {
    const reviews = { a: { heldReason: 'it waits' } };
    expect(merged('a', { result: candidates([]), reviews })).toMatchInlineSnapshot(`
      "nothing to test
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"queued","job":null,"heldReason":"it waits"}
      transition_bead {"bead":"api-mra","from":"in_progress","to":"open"}"
    `);
  });
});

describe('a round of several without gates', () => {
  it('is one push of the first list that has anybody in it', () => {
    expect(merged('abc', { result: candidates(['', 'ab', 'c']), gated: false })).toMatchInlineSnapshot(`
      "clean merges and no gates
      merge_step {"mergeRequest":"api-mrc","fromStep":"preparing","toStep":"queued","job":null,"heldReason":null}
      transition_bead {"bead":"api-mrc","from":"in_progress","to":"open"}
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"pushing","job":{"kind":"push","key":"push:api-mra:15:3","repo":{"rig":"api","url":"/remotes/api.git","targetBranch":"main"},"mergeRequest":"api-mra","candidate":"c21","expectedOld":"c1","notAfterMs":"+120000"},"deadlineAtMs":"+120000","candidate":{"sha":"c20","tree":"a","targetSha":"c1"},"position":0,"suspect":null}
      merge_step {"mergeRequest":"api-mrb","fromStep":"preparing","toStep":"pushing","job":null,"deadlineAtMs":"+120000","candidate":{"sha":"c21","tree":"ab","targetSha":"c1"},"position":1,"suspect":null}"
    `);
  });

  it('pushes nothing when nobody is in any list', () => {
    expect(merged('a', { result: candidates(['']), gated: false })).toMatchInlineSnapshot(`
      "clean merges and no gates
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"queued","job":null,"heldReason":null}
      transition_bead {"bead":"api-mra","from":"in_progress","to":"open"}"
    `);
  });

  it('passes over an entry that nobody knows', () => {
    expect(merged('a', { result: candidates(['ax']), gated: false })).toMatchInlineSnapshot(`
      "clean merges and no gates
      merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"pushing","job":{"kind":"push","key":"push:api-mra:14:3","repo":{"rig":"api","url":"/remotes/api.git","targetBranch":"main"},"mergeRequest":"api-mra","candidate":"c20","expectedOld":"c1","notAfterMs":"+120000"},"deadlineAtMs":"+120000","candidate":{"sha":"c20","tree":"a","targetSha":"c1"},"position":0,"suspect":null}"
    `);
  });
});

describe('an answer about the leader alone', () => {
  it.each([
    ['already_merged', { result: 'already_merged', targetSha: commit(9), mergeSha: commit(9) }],
    ['conflict', { result: 'conflict', targetSha: commit(1), paths: ['x.ts'], message: 'details' }],
    ['refused', { result: 'refused', code: 'target_lost', message: 'Somebody rewrote it.' }],
    ['revives', { result: 'revives', targetSha: commit(9), from: TIP, commits: 3 }],
  ] as const)('sends the others back in line: %s', (_name, result) => {
    const lines = merged('ab', { result }).split('\n');
    expect(lines[1]).toMatch(/^dissolve_round \{"target":"main","except":"api-mra","reason":".+"\}$/);
    expect(lines[1]).toContain(lines[0]);
  });

  it('is given to a person when the leader would bring back what people took out', () => {
    const lines = merged('a', { result: { result: 'revives', targetSha: commit(9), from: TIP, commits: 1 } }).split(
      '\n',
    );
    const what = '1 commit that people took out of main (it was at abcdef012345)';
    expect(lines).toEqual([
      'it would bring back what was taken out of its target',
      `merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"queued","job":null,"candidate":null,"heldReason":"would bring back ${what}","mayRevive":["${TIP_SHOWN}"]}`,
      'transition_bead {"bead":"api-mra","from":"in_progress","to":"open"}',
      expect.stringContaining('hold_bead {"bead":"api-mra","hold":"needs_human"'),
      expect.stringContaining(`it would bring back ${what}`),
    ]);
  });

  it('sends all of them back in line, the leader too, when the target was rewritten, and tells it once', () => {
    const result = { result: 'rewritten', from: TIP, targetSha: '1234567890ab'.padEnd(40, '6'), commits: 3, merged: 2 };
    const reason = 'main was rewritten (abcdef012345..1234567890ab)';
    expect(merged('ab', { result: result as JobResult }).split('\n')).toEqual([
      reason,
      `dissolve_round {"target":"main","except":null,"reason":"${reason}"}`,
      expect.stringMatching(
        /^raise_escalation .*"subject":"train:main".*3 commits went, and 2 merged beads are not on it/,
      ),
    ]);
  });

  it('says nothing when it is none of a merge', () => {
    expect(merged('a', { result: { result: 'branch_ready', head: commit(1) } })).toBe('');
  });
});

describe('a bead that was cancelled while its push may have landed', () => {
  const sources = { b: { cancelRequestedAtMs: NOW } };
  const of = (over: Partial<Round>): string => merged('abc', { sources, ...over });
  const cancelled = 'cancelled, and its push had not arrived';

  it('ends when the merge shows that it did not', () => {
    const result = candidates(['ab', 'c']);
    expect(of({ result })).toMatchInlineSnapshot(`
      "cancelled, and its push had not arrived
      dissolve_round {"target":"main","except":"api-mrb","reason":"cancelled, and its push had not arrived"}
      merge_step {"mergeRequest":"api-mrb","fromStep":"preparing","toStep":"queued","job":null,"candidate":null}
      transition_bead {"bead":"api-mrb","from":"in_progress","to":"open"}
      transition_bead {"bead":"api-taskb","from":"in_review","to":"closed","closeReason":"cancelled","evidence":{"note":"cancelled while its push was under way; the push lost"}}"
    `);
    const conflict = leftOut('b', { why: 'conflict', paths: [], message: '' });
    expect(of({ result: candidates(['ac'], { leftOut: [conflict] as never }) }).split('\n')[0]).toBe(cancelled);
    const others = leftOut('b', { why: 'merged', mergeSha: commit(9), madeFor: 'api-mrz' });
    expect(of({ result: candidates(['ac'], { leftOut: [others] as never }) }).split('\n')[0]).toBe(cancelled);
  });

  it('is merged when it had, and waits on when it was not looked at', () => {
    const there = leftOut('b', { why: 'merged', mergeSha: commit(9) });
    expect(of({ result: candidates(['ac'], { leftOut: [there] as never }) })).toContain('"closeReason":"merged"');
    for (const left of [[], [leftOut('c', { why: 'conflict', paths: [], message: '' })]])
      expect(of({ result: candidates(['a'], { leftOut: left as never }) }).split('\n')[0]).not.toBe(cancelled);
  });

  it('ends when it leads the round and would bring back what people took out: nobody is asked about it', () => {
    const result = { result: 'revives', targetSha: commit(9), from: TIP, commits: 3 } as const;
    expect(merged('a', { result, sources: { a: { cancelRequestedAtMs: NOW } } }).split('\n')).toEqual([
      cancelled,
      'merge_step {"mergeRequest":"api-mra","fromStep":"preparing","toStep":"queued","job":null,"candidate":null}',
      'transition_bead {"bead":"api-mra","from":"in_progress","to":"open"}',
      'transition_bead {"bead":"api-taska","from":"in_review","to":"closed","closeReason":"cancelled","evidence":{"note":"cancelled while its push was under way; the push lost"}}',
    ]);
  });

  it('ends when it leads the round and conflicts', () => {
    const result = { result: 'conflict', targetSha: commit(1), paths: ['x.ts'], message: '' } as const;
    expect(merged('a', { result, sources: { a: { cancelRequestedAtMs: NOW } } }).split('\n')[0]).toBe(cancelled);
    expect(merged('a', { result, sources: {} }).split('\n')[0]).toBe('conflicts with main in x.ts');
  });
});
