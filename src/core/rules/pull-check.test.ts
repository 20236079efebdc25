import { describe, expect, it } from 'vitest';
import { decided, GATE, pullView, told, UNOPENED, type PullWorld } from '../../../test/support/pull-table.ts';
import { bead, beadId, commit, NOW } from '../../../test/support/rig-view-builder.ts';
import type { GateRun, JobResult } from '../facts.ts';
import { FORGE_SILENT_MAX_MS, GATE_KILLS_MAX } from '../limits.ts';
import { pullRequest } from './pull-request.ts';

const checking = (result: JobResult | null, over: Partial<PullWorld> = {}): string =>
  decided({ step: 'checking', ...(result === null ? {} : { result }), ...over });
/** Its gates ran on candidate c20, made on target c1. */
const testing = (result: JobResult | null, over: Partial<PullWorld> = {}): string =>
  decided({
    step: 'testing',
    gates: [GATE],
    ...(result === null ? {} : { result }),
    ...over,
    review: { candidateSha: commit(20), targetSha: commit(1), testedTree: 'tree', ...over.review },
  });
const confirming = (result: JobResult | null, over: Partial<PullWorld> = {}): string =>
  decided({
    step: 'confirming',
    seen: { state: 'merged', mergeSha: commit(30) },
    ...(result === null ? {} : { result }),
    ...over,
  });

const THERE: JobResult = { result: 'already_merged', targetSha: commit(31), mergeSha: commit(30) };
const CANDIDATE: JobResult = { result: 'candidate', candidate: commit(20), tree: 'tree', targetSha: commit(1) };
const ERROR: JobResult = { result: 'error', message: 'x' };
const run = (over: Partial<GateRun> = {}): GateRun => ({
  name: 'test',
  exitCode: 1,
  timedOut: false,
  durationMs: 1,
  tail: '2 failed',
  ...over,
});
const GREEN: JobResult = { result: 'gates', green: true, runs: [run({ exitCode: 0 })] };
const RED: JobResult = { result: 'gates', green: false, runs: [run({ name: 'lint', exitCode: 0 }), run()] };
const KILLED: JobResult = { result: 'gates', green: false, runs: [run({ killedBy: 'SIGKILL' })] };
const DUE = { review: { deadlineAtMs: NOW } };

describe('what git says of a head and its target', () => {
  it('a clean merge without gates goes on to the forge', () => {
    expect(checking(CANDIDATE, { pull: UNOPENED })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: git finds no conflict
      step of api-merge: checking -> opening | job null, heldReason null, suspect null, gateKills 0, pull {testedHead c10, testedAtMs now, retryAtMs 0}, forge {kind open, key open:api-merge:3}, deadlineAtMs +2min"
    `);
  });

  it('a clean merge of one that is open goes back to being looked at', () => {
    expect(checking(CANDIDATE, { pull: { retryAtMs: NOW - 5_000 } })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: git finds no conflict
      step of api-merge: checking -> proposed | job null, heldReason null, suspect null, gateKills 0, pull {testedHead c10, testedAtMs now, retryAtMs -5s}"
    `);
  });

  it('a clean merge is tested with the gates of the rig, on the tree of both', () => {
    expect(checking(CANDIDATE, { pull: UNOPENED, gates: [GATE, { ...GATE, name: 'lint' }] })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: clean merge; gates run on its tree
      step of api-merge: checking -> testing | job gates:api-merge:c20:3 of c20, candidate {sha c20, tree tree, targetSha c1}, suspect null, deadlineAtMs +17min"
    `);
  });

  it('a tree that passed before is not tested again', () => {
    expect(checking(CANDIDATE, { pull: UNOPENED, gates: [GATE], world: { tested: ['tree'] } })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: it merges cleanly into what passed the gates before
      step of api-merge: checking -> opening | job null, heldReason null, suspect null, gateKills 0, pull {testedHead c10, testedAtMs now, retryAtMs 0}, forge {kind open, key open:api-merge:3}, deadlineAtMs +2min"
    `);
    expect(checking(CANDIDATE, { gates: [GATE], world: { tested: ['other'] } })).toContain('checking -> testing');
  });

  it('a conflict is work for an agent, with the paths', () => {
    const conflict: JobResult = { result: 'conflict', targetSha: commit(1), paths: ['a.ts', 'b.ts'], message: 'both' };
    expect(checking(conflict)).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: conflicts with main in a.ts, b.ts
      step of api-merge: checking -> reworking | job null, candidate null, heldReason conflicts with main in a.ts, b.ts
      bead api-merge: in_progress -> open
      create_rework | mergeRequest api-merge, kind conflict, title Resolve the conflict with main, body gt/api-task1 and main (at c1) changed the same places: /  / - a.ts / - b.ts /  / Merge c1 into the branch, keep both changes, then call "gt done". /  / both, notBeforeMs 0, preferAgent null"
    `);
  });

  it('a conflict that only its forge sees is not asked about in a circle, but ever less often', () => {
    const shown = (agoMs: number): string =>
      checking(CANDIDATE, { seen: { mergeable: 'conflict' }, pull: { changedAtMs: NOW - agoMs } });
    expect(shown(1)).toContain('retryAtMs +1min');
    expect(shown(4 * 60_000)).toContain('retryAtMs +4min');
    expect(shown(86_400_000)).toContain('retryAtMs +30min');
    expect(checking(CANDIDATE, { seen: null, pull: { retryAtMs: 5 } })).toContain('retryAtMs 5');
  });

  it('a target that can not be looked at is tried again by itself', () => {
    expect(checking({ result: 'refused', code: 'no_target', message: 'main is gone' })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: the target can't be looked at: main is gone
      step of api-merge: checking -> queued | job null, heldReason main is gone, pull {retryAtMs +5min}
      bead api-merge: in_progress -> open"
    `);
  });

  it('an answer to something else decides nothing', () => {
    expect(checking(ERROR)).toBe('nothing');
  });
});

describe('a head that the target has already', () => {
  it('is no merge when it is that of another bead: a person says what becomes of it', () => {
    const others: JobResult = { ...THERE, madeFor: 'api-other' };
    const said = checking(others, { pull: UNOPENED });
    expect(said).toContain(
      'checking -> queued | job null, heldReason its branch holds the merge of another bead and nothing of its own\n',
    );
    expect(said).toContain('api-task1 is not merged: all that was handed in for it is the merge of api-other');
    // Through a pull request it came as people chose.
    expect(checking(others)).toContain('checking -> ended');
  });

  it('is merged, whoever brought it there, with the commit as evidence', () => {
    expect(checking(THERE)).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: the head is an ancestor of the target already
      step of api-merge: checking -> ended | job null, mergeSha c30, heldReason null
      bead api-merge: in_progress -> closed | closeReason merged, evidence {head c10, mergeSha c30, target main}
      bead api-task1: in_review -> closed | closeReason merged, evidence {head c10, mergeSha c30, target main}"
    `);
    expect(checking(THERE, { bead: { escalated: true } })).toContain('resolve_escalation');
  });

  it('ends the rework that somebody still does for it', () => {
    const rework = bead({ id: beadId('rework'), branchOf: beadId('task1'), status: 'in_progress' });
    expect(checking(THERE, { world: { beads: [rework] } })).toContain(
      'bead api-rework: in_progress -> closed | closeReason source_ended',
    );
  });

  it('is no merge when somebody else pushed it: the branch may simply have been reset to the target', () => {
    expect(checking(THERE, { pull: { isAdopted: true } })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its branch has nothing that the target lacks
      step of api-merge: checking -> queued | job null, heldReason its branch is empty
      bead api-merge: in_progress -> open
      hold_bead | bead api-merge, hold needs_human, reason Somebody else pushed 000000000000 to gt/api-task1, which main has already: nothing of api-task1 is left on its branch. Push its work again, then "gt bead retry api-task1", or give it up with "gt bead close api-task1".
      tell a person | causeKey bead:api-task1, severity high, category merge, subject bead:api-task1
        Somebody else pushed 000000000000 to gt/api-task1, which main has already: nothing of api-task1 is left on its branch. Push its work again, then "gt bead retry api-task1", or give it up with "gt bead close api-task1"."
    `);
  });
});

describe('a branch that somebody reset to its target', () => {
  const reset = { isAdopted: true } as const;

  it('and pushed to again is looked at again, where that commit is found', () => {
    expect(checking(THERE, { pull: { ...reset, seenHead: commit(66) } })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: something happened to it since
      step of api-merge: checking -> proposed | job null, heldReason null"
    `);
    expect(checking(THERE, { seen: { state: 'closed' }, pull: reset })).toContain('checking -> proposed');
    expect(checking(THERE, { seen: null, pull: reset })).toContain('checking -> proposed');
  });

  it('and whose pull request is over is asked for at its forge, which knows the branch as it is now', () => {
    expect(checking(THERE, { pull: { ...UNOPENED, ...reset } })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its forge knows what its branch is by now
      step of api-merge: checking -> opening | job null, forge {kind open, key open:api-merge:3}, deadlineAtMs +2min"
    `);
  });
});

describe('a step that waits for a runner', () => {
  it('is looked at again at its deadline', () => {
    for (const step of [checking, testing, confirming]) {
      expect(step(null)).toBe('nothing');
      expect(step(null, { review: { deadlineAtMs: NOW + 1 } })).toBe('looks again +1ms');
    }
  });

  it('past its deadline is told to a person once; the job goes on being asked for', () => {
    expect(checking(null, DUE)).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: the step is overdue
      tell a person | causeKey bead:api-merge, severity medium, category merge, subject bead:api-task1
        api-merge has been checking past its deadline; the runner or its git host does not answer."
    `);
    expect(checking(null, { ...DUE, bead: { escalated: true } })).toBe('nothing');
    expect(testing(null, DUE)).toContain('has been testing past its deadline');
    expect(confirming(null, DUE)).toContain('has been confirming past its deadline');
  });

  it('of a bead that is gone tells nobody', () => {
    const view = pullView({ step: 'checking', ...DUE });
    expect(told(pullRequest({ ...view, bead: () => null }, beadId('merge'), NOW))).toBe('nothing');
  });
});

describe('the own gates of the rig', () => {
  it('that are green let it go on, and their tree is known to pass', () => {
    expect(testing(GREEN, { pull: UNOPENED })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: all gates are green on the combined tree
      step of api-merge: testing -> opening | job null, passed tree, heldReason null, suspect null, gateKills 0, pull {testedHead c10, testedAtMs now, retryAtMs 0}, forge {kind open, key open:api-merge:3}, deadlineAtMs +2min"
    `);
    expect(testing(GREEN)).toContain('testing -> proposed');
    expect(testing(GREEN, { review: { suspect: 'pull:again' } })).toContain('testing -> proposed');
  });

  it('that passed on a tree which nobody knows leave none behind', () => {
    expect(testing(GREEN, { review: { testedTree: null } })).not.toContain('passed');
  });

  it('that are red are run again before anybody is blamed', () => {
    expect(testing(RED)).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: red; it is run again before anybody is blamed
      step of api-merge: testing -> testing | job gates:api-merge:c20:3 of c20, suspect pull:again, gateLog It ended with exit code 1. The end of its output: /  / 2 failed, deadlineAtMs +16min"
    `);
  });

  it('that are red twice are run on the target by itself', () => {
    expect(testing(RED, { review: { suspect: 'pull:again' } })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: red twice; the target by itself is tested
      step of api-merge: testing -> testing | job gates:api-merge:c1:3 of c1, suspect pull:target, gateLog It ended with exit code 1. The end of its output: /  / 2 failed, deadlineAtMs +16min"
    `);
  });

  it('that pass on the target make it rework, with what the second run said', () => {
    expect(testing(GREEN, { review: { suspect: 'pull:target', gateLog: 'it said so' } })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its gates are red
      step of api-merge: testing -> reworking | job null, candidate null, heldReason its gates are red, gateLog it said so
      bead api-merge: in_progress -> open
      create_rework | mergeRequest api-merge, kind rework, title Make the gates green, body The gates failed on the result of merging gt/api-task1 into main, twice, while main by itself passed. /  / it said so, notBeforeMs 0, preferAgent null"
    `);
    expect(testing(GREEN, { review: { suspect: 'pull:target' } })).toContain('by itself passed. /  / , notBeforeMs 0');
    expect(testing(GREEN, { review: { suspect: 'pull:target', rounds: 1 } })).toContain('notBeforeMs +30s');
    expect(testing(GREEN, { review: { suspect: 'pull:target', rounds: 2 } })).toContain('notBeforeMs +1min');
  });

  it('that are red on the target blame nobody, and are tried again in five minutes', () => {
    expect(testing(RED, { review: { suspect: 'pull:target' } })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: the target itself is red; nobody is blamed
      step of api-merge: testing -> queued | job null, heldReason main itself is red (gate test); nobody's work is blamed, suspect null, pull {retryAtMs +5min}
      bead api-merge: in_progress -> open
      train_state | target main, state red, reason gate test is red on main itself, redTree null, retryAtMs +5min
      tell a person | causeKey train:main, severity high, category merge, subject train:main
        The merge train of main stands: gate test is red on main itself, without any of the work that waits. Mend main, or sling the repair; new work is tried at once, and every 5 min main by itself or, in turn, one that waits. /  / It ended with exit code 1. The end of its output: /  / 2 failed"
    `);
  });

  it('of a commit that nobody knows are not run again', () => {
    expect(testing(RED, { review: { candidateSha: null } })).toBe('nothing');
    expect(testing(RED, { review: { suspect: 'pull:again', targetSha: null } })).toBe('nothing');
  });

  it('are asked once more about the same commit under another name, so that the first answer does not count twice', () => {
    expect(testing(RED, { review: { version: 4 } })).toContain('job gates:api-merge:c20:4 of c20');
  });

  it('are not judged by an answer to something else', () => {
    expect(testing(ERROR)).toBe('nothing');
  });
});

describe('gates that something else killed', () => {
  it('say nothing about the work and run again', () => {
    expect(testing(KILLED)).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: gate test was ended by SIGKILL, which says nothing about the work; it runs again
      step of api-merge: testing -> testing | job gates:api-merge:c20:3 of c20, gateKills 1, deadlineAtMs +16min"
    `);
    expect(testing(KILLED, { review: { suspect: 'pull:target' } })).toContain('of c1,');
    expect(testing(KILLED, { review: { suspect: 'pull:again' } })).toContain('of c20,');
  });

  it('too often are for a person: the machine is not well', () => {
    const often = (gateKills: number): string => testing(KILLED, { review: { gateKills } });
    expect(often(GATE_KILLS_MAX - 2)).toContain('testing -> testing');
    expect(often(GATE_KILLS_MAX - 1)).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: gate test was ended by SIGKILL too often
      step of api-merge: testing -> queued | job null, heldReason gate test was ended by SIGKILL, gateKills 0, suspect null
      bead api-merge: in_progress -> open
      hold_bead | bead api-merge, hold needs_human, reason The gate test was ended by SIGKILL 3 times on api-task1: out of memory, or stopped by somebody. Its work is not blamed. When the machine is well: "gt bead retry api-task1".
      tell a person | causeKey bead:api-task1, severity high, category merge, subject bead:api-task1
        The gate test was ended by SIGKILL 3 times on api-task1: out of memory, or stopped by somebody. Its work is not blamed. When the machine is well: "gt bead retry api-task1"."
    `);
  });

  it('on a commit that nobody knows are for a person at once', () => {
    expect(testing(KILLED, { review: { candidateSha: null } })).toContain('hold_bead');
  });

  it('are known by the run that was last', () => {
    const runs = [run({ killedBy: 'SIGKILL' }), run()];
    expect(testing({ result: 'gates', green: false, runs })).toContain('red; it is run again');
  });
});

describe('what its forge calls merged', () => {
  it('is merged when git finds it in the target', () => {
    expect(confirming(THERE)).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its forge says merged, and the target has it
      step of api-merge: confirming -> ended | job null, mergeSha c30, heldReason null
      bead api-merge: in_progress -> closed | closeReason merged, evidence {head c10, mergeSha c30, target main}
      bead api-task1: in_review -> closed | closeReason merged, evidence {head c10, mergeSha c30, target main}"
    `);
  });

  it('is proposed as before when its forge takes that back', () => {
    expect(confirming(CANDIDATE, { seen: {} })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its forge says now that it is not merged
      step of api-merge: confirming -> proposed | job null, heldReason null"
    `);
    expect(confirming(CANDIDATE, { seen: null })).toContain('confirming -> proposed');
  });

  it('without the last commits of a rework leaves those to a pull request of their own', () => {
    expect(confirming(CANDIDATE, { pull: { seenHead: commit(9) } })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: pull request #7 was merged without the last commits; they get a pull request of their own
      step of api-merge: confirming -> queued | job null, heldReason pull request #7 was merged without the last commits; they get a pull request of their own, pull {over 7, number null, url null, site null, seen null, seenHead null, lookError null, silentSinceMs null, retryAtMs 0, asks 0}
      bead api-merge: in_progress -> open"
    `);
    const source = { cancelRequestedAtMs: NOW - 1 };
    const cancel = { note: 'enough' };
    expect(confirming(CANDIDATE, { pull: { seenHead: commit(9), cancel }, source })).toContain(
      'closeReason cancelled, evidence {note enough; pull request #7 was merged without its last commits, and is in main}',
    );
    expect(confirming(CANDIDATE, { pull: { seenHead: null } })).not.toContain('of their own');
  });
});

describe('what its forge calls merged and the target does not have', () => {
  const reason = `its forge says merged as ${commit(30)}, and main does not have that`;
  const known = (sinceMs: number, retryAtMs = NOW): string =>
    confirming(CANDIDATE, { pull: { waitReason: reason, waitSinceMs: NOW - sinceMs, retryAtMs } });

  it('is noted, and looked for again in half a minute', () => {
    expect(confirming(CANDIDATE)).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its forge says merged as c30, and main does not have that
      note on api-merge | waitsFor forge, waitReason its forge says merged as c30, and main does not have that, waitSinceMs now, retryAtMs +30s"
    `);
    expect(known(1_000, NOW + 1)).toBe('looks again +1ms');
    expect(known(1_000)).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: it may be there by now
      step of api-merge: confirming -> confirming | job merge:api-merge:confirming:3 of c10 (as c30), pull {retryAtMs +30s}, deadlineAtMs +2min"
    `);
  });

  it('may have no commit that its forge names', () => {
    expect(confirming(CANDIDATE, { seen: { state: 'merged' } })).toContain('says merged as unknown, and main');
  });

  it('is not said of a target that can not be looked at', () => {
    expect(confirming({ result: 'refused', code: 'no_target', message: 'main is gone' })).toContain(
      "waitReason its forge says merged as c30, and main can't be looked at: main is gone",
    );
  });

  it('is told to a person after half an hour, and goes on being looked for', () => {
    expect(known(FORGE_SILENT_MAX_MS - 1)).not.toContain('tell a person');
    expect(known(FORGE_SILENT_MAX_MS)).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: pull request #7 was merged into main as 000000000000, and main does not have that: "gt mq retry api-task1" opens a new one, or "gt bead close api-task1" gives it up
      step of api-merge: confirming -> proposed | job null, heldReason null, pull {waitsFor people, waitReason pull request #7 was merged into main as 000000000000, and main does not have that: "gt mq retry api-task1" opens a new one, or "gt bead close api-task1" gives it up, waitSinceMs -30min, retryAtMs +30min}
      tell a person | causeKey bead:api-merge, severity medium, category merge, subject bead:api-task1
        api-task1: pull request #7 was merged into main as 000000000000, and main does not have that: "gt mq retry api-task1" opens a new one, or "gt bead close api-task1" gives it up."
    `);
    const view = { pull: { waitReason: reason, waitSinceMs: null, retryAtMs: 0 } };
    expect(confirming(CANDIDATE, view)).not.toContain('tell a person');
  });
});

describe('an order to merge in the object database', () => {
  it('says who commits, when, with which words, and into what', () => {
    const [decision] = pullRequest(
      pullView({ step: 'queued', gates: [GATE], pull: UNOPENED }),
      beadId('merge'),
      NOW,
    ).decisions;
    expect(decision?.actions[0]).toMatchObject({
      job: {
        kind: 'merge',
        repo: { rig: 'api', url: '/remotes/api.git', targetBranch: 'main' },
        mergeRequest: 'api-merge',
        head: commit(10),
        earlierCandidate: null,
        message: 'Merge gt/api-task1: Add a thing\n\nGt-Bead: api-task1\nGt-Merge-Request: api-merge\n',
        author: { name: 'api/refinery', email: 'owner@example.org' },
        dateMs: NOW,
      },
    });
  });

  it('looks for the commit that its forge names only when that is of the present head', () => {
    const seen = { state: 'merged', mergeSha: commit(30) } as const;
    expect(decided({ step: 'proposed', seen })).toContain('of c10 (as c30)');
    expect(decided({ step: 'proposed', seen, pull: { seenHead: null } })).toContain('of c10 (as c30)');
    expect(decided({ step: 'proposed', seen, pull: { seenHead: commit(9) } })).toContain('of c10 (as null)');
  });
});
