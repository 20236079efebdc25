import { describe, expect, it } from 'vitest';
import { decided, sight, UNOPENED, type PullWorld } from '../../../test/support/pull-table.ts';
import { commit, NOW } from '../../../test/support/rig-view-builder.ts';
import { MERGE_STEP_DEADLINE_MS, PULL_MERGE_ASKS_MAX, PULL_REFUSED_RETRY_MS } from '../limits.ts';
import type { ForgeSaid } from '../model/proposal.ts';
import type { PullRequest } from '../model/pull-request.ts';

const shows = (over: Partial<PullRequest> = {}): ForgeSaid => ({
  state: 'ok',
  pullRequest: sight(over),
  site: 'here',
});
const refuses = (code: string, error = 'the token may not do this'): ForgeSaid => ({ state: 'refused', code, error });

/** Its forge was asked for a pull request. */
const opening = (over: Partial<PullWorld> = {}): string => decided({ step: 'opening', pull: UNOPENED, ...over });
/** Its forge was asked to merge it. */
const accepting = (over: Partial<PullWorld> = {}): string => decided({ step: 'accepting', ...over });
/** Asked at this moment, so that the answer is due just now. */
const due = { review: { deadlineAtMs: NOW } };

describe('a forge that was asked for a pull request', () => {
  it('and has one is believed: it is looked at from now on', () => {
    expect(opening({ said: shows() })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: pull request #7 carries it: https://forge.test/7
      step of api-merge: opening -> proposed | job null, heldReason null, pull {number 7, site here, url https://forge.test/7, seen #7, lookError null, silentSinceMs null, retryAtMs now}"
    `);
    expect(opening({ said: shows(), bead: { escalated: true } })).toContain('resolve_escalation');
  });

  it('and names one that is over already has that seen too, whatever its base', () => {
    expect(opening({ said: shows({ state: 'merged', base: 'other' }) })).toContain('opening -> proposed');
  });

  it('and finds one of the branch for another base is not taken at its word: nobody meant to merge there (T25)', () => {
    expect(opening({ said: shows({ base: 'release' }) })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: a pull request is refused: wrong_base
      note on api-merge | waitsFor people, waitReason pull request #7 of this branch is for release, not for main. Set its base there, or close it., waitSinceMs now, retryAtMs +30min, silentSinceMs null
      tell a person | causeKey bead:api-merge, severity medium, category merge, subject bead:api-task1
        A pull request is refused for api-task1: pull request #7 of this branch is for release, not for main. Set its base there, or close it. It is tried again every 30 min, when the settings change, and at once with "gt mq retry api-task1"."
    `);
  });

  it('is waited for until the deadline', () => {
    expect(opening({ review: { deadlineAtMs: NOW + 1 } })).toBe('looks again +1ms');
    expect(opening()).toBe('nothing');
  });

  it('and does not answer is silent since it was asked; the call goes on, and finds what a lost one did', () => {
    expect(opening(due)).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its forge does not answer
      note on api-merge | silentSinceMs -2min"
    `);
    expect(opening({ ...due, pull: { ...UNOPENED, silentSinceMs: NOW - MERGE_STEP_DEADLINE_MS } })).toBe('nothing');
  });
});

describe('a pull request that is refused', () => {
  it('is told to a person with the words of the forge, once, and noted with the next try', () => {
    expect(opening({ said: refuses('no_right') })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: a pull request is refused: no_right
      note on api-merge | waitsFor people, waitReason the token may not do this, waitSinceMs now, retryAtMs +30min, silentSinceMs null
      tell a person | causeKey bead:api-merge, severity medium, category merge, subject bead:api-task1
        A pull request is refused for api-task1: the token may not do this. It is tried again every 30 min, when the settings change, and at once with "gt mq retry api-task1"."
    `);
    expect(opening({ said: refuses('no_right'), bead: { escalated: true } })).not.toContain('tell a person');
  });

  it('is asked for again after half an hour: somebody may have given the right', () => {
    const noted = (retryAtMs: number): string =>
      opening({ said: refuses('no_right'), pull: { ...UNOPENED, waitReason: 'the token may not do this', retryAtMs } });
    expect(noted(NOW + 1)).toBe('looks again +1ms');
    expect(noted(NOW)).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: it may be possible now
      step of api-merge: opening -> opening | job null, pull {waitReason null}, forge {kind open, key open:api-merge:3}, deadlineAtMs +2min"
    `);
    expect(PULL_REFUSED_RETRY_MS).toBe(30 * 60_000);
  });

  it('again is refused since the first time', () => {
    const asked = { ...UNOPENED, waitsFor: 'people', waitReason: null, waitSinceMs: NOW - 60_000 } as const;
    expect(opening({ said: refuses('no_right'), pull: asked })).toContain('waitSinceMs -1min');
    expect(opening({ said: refuses('no_right'), pull: { ...asked, waitsFor: 'forge' } })).toContain('waitSinceMs now');
    const before = { ...asked, waitReason: 'pull request #3 was closed' };
    expect(opening({ said: refuses('no_right'), pull: before })).toContain('waitSinceMs now');
  });

  it('in other words than before is noted anew', () => {
    const other = { ...UNOPENED, waitReason: 'there is no such project', retryAtMs: NOW + 60_000 };
    expect(opening({ said: refuses('no_right'), pull: other })).toContain('waitReason the token may not do this');
  });

  it('because it is no valid one may lack its branch, which is made again first', () => {
    const said = refuses('invalid', 'head is invalid');
    expect(opening({ said })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its branch may be gone, and is made again then
      step of api-merge: opening -> checking | job again:api-merge:3, pull {waitsFor people, waitReason head is invalid, waitSinceMs now, retryAtMs +30min, silentSinceMs null}, deadlineAtMs +2min"
    `);
    const asked = { ...UNOPENED, waitReason: 'head is invalid', retryAtMs: NOW + 60_000 };
    expect(opening({ said, pull: asked })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its branch is there, and it is still refused
      tell a person | causeKey bead:api-merge, severity medium, category merge, subject bead:api-task1
        A pull request is refused for api-task1: head is invalid. It is tried again every 30 min, when the settings change, and at once with "gt mq retry api-task1"."
    `);
    expect(opening({ said, pull: asked, bead: { escalated: true } })).toBe('looks again +1min');
    expect(opening({ said, pull: { ...asked, retryAtMs: NOW } })).toContain('it may be possible now');
  });

  it('because its branch has nothing that the target lacks may be merged already, which git knows', () => {
    const said = refuses('no_commits', 'nothing new');
    expect(opening({ said })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its forge finds nothing to merge; git is asked
      step of api-merge: opening -> checking | job merge:api-merge:checking:3 of c10 (as null), pull {waitsFor people, waitReason nothing new, waitSinceMs now, retryAtMs +30min, silentSinceMs null}, deadlineAtMs +2min"
    `);
  });

  it('because its branch has nothing is told to a person when git found its work: the branch there is another one', () => {
    const asked = { ...UNOPENED, waitReason: 'nothing new', retryAtMs: NOW + 60_000 };
    const said = refuses('no_commits', 'nothing new');
    expect(opening({ said, pull: asked })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: git finds work where its forge finds none
      tell a person | causeKey bead:api-merge, severity medium, category merge, subject bead:api-task1
        A pull request is refused for api-task1: nothing new. Git finds its work at c10: look whether gt/api-task1 is still there. It is tried again every 30 min, when the settings change, and at once with "gt mq retry api-task1"."
    `);
    expect(opening({ said, pull: asked, bead: { escalated: true } })).toBe('looks again +1min');
    expect(opening({ said, pull: { ...asked, retryAtMs: NOW } })).toContain('it may be possible now');
  });
});

describe('a forge that was asked to merge', () => {
  it('and says merged is not believed before git has looked', () => {
    const merged = { state: 'merged', mergeSha: commit(30) } as const;
    expect(accepting({ said: shows(merged) })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its forge says merged as c30; git is asked
      step of api-merge: accepting -> confirming | job merge:api-merge:confirming:3 of c10 (as c30), heldReason null, pull {number 7, site here, url https://forge.test/7, seen #7, lookError null, silentSinceMs null}, deadlineAtMs +2min"
    `);
    expect(accepting({ said: shows({ ...merged, mergeSha: null }) })).toContain('its forge says merged; git is asked');
    expect(accepting({ said: shows({ ...merged, headSha: null }) })).toContain('(as c30)');
    // Somebody changed the branch since it was seen last, and that was merged.
    expect(accepting({ said: shows({ ...merged, headSha: commit(9) }) })).toContain('(as null)');
  });

  it('and has put it into its own queue is looked at, and was asked once', () => {
    expect(accepting({ said: shows({ inQueue: true, mergeable: 'blocked' }) })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: pull request #7 is in the queue of its forge
      step of api-merge: accepting -> proposed | job null, heldReason null, pull {number 7, site here, url https://forge.test/7, seen #7, lookError null, silentSinceMs null, asks 1, retryAtMs +1min, askedAtMs now}"
    `);
  });

  it('and found news in the last look before was not asked at all: they are judged first', () => {
    expect(accepting({ said: shows({ approvals: 0 }), pull: { asks: 2 } })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: pull request #7 changed in the last moment
      step of api-merge: accepting -> proposed | job null, heldReason null, pull {number 7, site here, url https://forge.test/7, seen #7, lookError null, silentSinceMs null, askedAtMs now, readyAtMs null}"
    `);
  });

  it('and has not merged it, with nothing new, is asked again later', () => {
    expect(accepting({ said: shows() })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: pull request #7 is not merged yet
      step of api-merge: accepting -> proposed | job null, heldReason null, pull {number 7, site here, url https://forge.test/7, seen #7, lookError null, silentSinceMs null, asks 1, retryAtMs +1min, askedAtMs now}"
    `);
  });

  it.each([
    [0, '+1min'],
    [1, '+5min'],
    [2, '+15min'],
    [3, '+30min'],
    [4, '+30min'],
  ])('for the time number %i waits so long before the next', (asks, wait) => {
    expect(accepting({ said: shows(), pull: { asks } })).toContain(`asks ${String(asks + 1)}, retryAtMs ${wait}`);
  });

  it('is waited for until the deadline', () => {
    expect(accepting({ review: { deadlineAtMs: NOW + 1 } })).toBe('looks again +1ms');
    expect(accepting()).toBe('nothing');
  });

  it('and does not answer may have merged it: it is looked at, and the forge is silent since it was asked', () => {
    expect(accepting(due)).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its forge does not answer
      note on api-merge | silentSinceMs -2min
      step of api-merge: accepting -> proposed | job null, heldReason its forge did not answer, pull {asks 1, retryAtMs +1min, askedAtMs now}"
    `);
    expect(accepting({ ...due, pull: { silentSinceMs: NOW - 1 } })).not.toContain('note on');
  });
});

describe('a merge that is refused', () => {
  it('for what nobody can wait away is told to a person, and tried again after half an hour', () => {
    expect(accepting({ said: refuses('no_right') })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: the merge is refused: the token may not do this
      step of api-merge: accepting -> proposed | job null, heldReason the token may not do this, pull {asks 1, retryAtMs +30min, askedAtMs now, silentSinceMs null}
      tell a person | causeKey bead:api-merge, severity medium, category merge, subject bead:api-task1
        The merge is refused for api-task1: the token may not do this. It is tried again every 30 min, when the settings change, and at once with "gt mq retry api-task1"."
    `);
    expect(accepting({ said: refuses('no_right'), bead: { escalated: true } })).not.toContain('tell a person');
  });

  it.each(['head_moved', 'closed', 'wrong_base', 'not_mergeable'])(
    'because it is another one by now (%s) is no news for people: the next look tells',
    (code) => {
      const said = accepting({ said: refuses(code) });
      expect(said).toContain('accepting -> proposed');
      expect(said).toContain('asks 1, retryAtMs +1min');
      expect(said.split('\n')).toHaveLength(2);
    },
  );

  it('ever again is told to a person all the same', () => {
    const often = (asks: number): string => accepting({ said: refuses('not_mergeable'), pull: { asks } });
    expect(often(PULL_MERGE_ASKS_MAX - 2)).not.toContain('tell a person');
    expect(often(PULL_MERGE_ASKS_MAX - 1)).toContain('tell a person');
    expect(often(PULL_MERGE_ASKS_MAX - 1)).toContain('retryAtMs +30min');
  });
});
