import { describe, expect, it } from 'vitest';
import { proposal, sight } from '../../../test/support/pull-table.ts';
import { beadId, commit, NOW } from '../../../test/support/rig-view-builder.ts';
import { DEFAULT_PULL, type PullPolicy } from '../commands.ts';
import {
  FORGE_SILENT_MAX_MS,
  PULL_FEEDBACK_SETTLE_MS,
  PULL_HEAD_SETTLE_MS,
  PULL_NO_CHECKS_SETTLE_MS,
  PULL_BEHIND_MAX,
} from '../limits.ts';
import type { Proposal } from '../model/proposal.ts';
import type { PullRequest } from '../model/pull-request.ts';
import { judgePull, nameOf, type PullCase } from './policy.ts';

type Over = Partial<Omit<PullCase, 'seen' | 'proposal' | 'policy'>> & {
  readonly seen?: Partial<PullRequest>;
  readonly proposal?: Partial<Proposal>;
  readonly policy?: Partial<PullPolicy>;
};

/** The verdict on a pull request that is as it has to be but for what is named, in one line. */
function judged(over: Over = {}): string {
  const verdict = judgePull({
    review: { sourceBeadId: beadId('task1'), branch: 'gt/api-task1', headSha: commit(10), targetBranch: 'main' },
    hasGates: false,
    isEarlierHead: false,
    paused: null,
    nowMs: NOW,
    ...over,
    seen: sight(over.seen),
    proposal: proposal(over.proposal),
    policy: { ...DEFAULT_PULL, ...over.policy },
  });
  if (verdict.kind === 'adopt') return `adopt ${String(Number.parseInt(verdict.head, 16))}`;
  if (verdict.kind === 'feedback' || verdict.kind === 'behind')
    return `${verdict.kind} ${verdict.items.map(({ id }) => id).join(' ')}`;
  if (verdict.kind !== 'wait') return verdict.kind;
  const { for: waitsFor, reason, untilMs, tell, isReady } = verdict;
  const until = untilMs === null ? '' : `; until +${String(untilMs - NOW)}`;
  return `${waitsFor}${isReady ? ', ready' : ''}, tell ${tell}: ${reason}${until}`;
}

const thread = (id: string) => ({ id, path: 'x.ts', line: 3, by: 'ann', body: 'why?', last: null });
const change = { id: 'r1', by: 'ann', body: 'no' };
const failing = { name: 'ci', url: null, text: '' };
/** The former of two verdicts holds until just before the moment, the latter from it on. */
const around = (atMs: number, over: Over): readonly string[] => [
  judged({ ...over, nowMs: atMs - 1 }),
  judged({ ...over, nowMs: atMs }),
];

describe('a pull request that has all', () => {
  it('is merged', () => {
    expect(judged()).toBe('merge');
  });

  it('has a name that people find at the forge', () => {
    expect(nameOf({ number: 12 })).toBe('pull request #12');
  });
});

describe('a pull request that is over', () => {
  it('merged by anybody: git is asked, whatever else is seen of it', () => {
    expect(judged({ seen: { state: 'merged', base: 'other', headSha: null, mergeable: 'conflict' } })).toBe('merged');
  });

  it('merged, and git did not find that: people hear what they can do, and git is asked again at its time', () => {
    const text =
      'pull request #7 was merged into main as an unknown commit, and main does not have that: "gt mq retry api-task1" opens a new one, or "gt bead close api-task1" gives it up';
    const missing = (seen: Partial<PullRequest>, waitReason: string): readonly string[] =>
      around(NOW + 5, { seen, proposal: { seen: sight(seen), waitReason, retryAtMs: NOW + 5 } });
    expect(missing({ state: 'merged' }, text)).toEqual([`people, tell yes: ${text}; until +5`, 'merged']);
    const named = text.replace('an unknown commit', 'a'.repeat(12));
    const asOne = { state: 'merged', mergeSha: 'a'.repeat(40) } as const;
    expect(missing(asOne, named)[0]).toBe(`people, tell yes: ${named}; until +5`);
    // About what was merged as another commit since, or into another branch, git has not been asked yet.
    expect(missing({ ...asOne, mergeSha: 'b'.repeat(40) }, named)).toEqual(['merged', 'merged']);
    expect(missing({ ...asOne, base: 'next' }, named)).toEqual(['merged', 'merged']);
  });

  it('closed without a merge: a person says what becomes of the work', () => {
    expect(judged({ seen: { state: 'closed' } })).toBe(
      'people, tell yes: pull request #7 was closed without a merge: reopen it there, or "gt mq retry api-task1" opens a new one, or "gt bead close api-task1" gives it up',
    );
  });
});

describe('a pull request that is another one now', () => {
  it('because its number has another branch is never merged nor taken as merged', () => {
    for (const state of ['open', 'merged'] as const)
      expect(judged({ seen: { branch: 'stranger', state } })).toContain(
        'people, tell yes: pull request #7 is for the branch stranger',
      );
    expect(judged({ seen: { branch: null } })).toContain('a branch of another project');
  });

  it('for another base is never merged there (T25)', () => {
    expect(judged({ seen: { base: 'release' } })).toBe(
      'people, tell yes: pull request #7 is for release, and its work is meant for main: set its base back there. If main is gone or renamed, "gt bead close api-task1" gives it up here; its branch stays',
    );
  });

  it('without a branch waits for a person', () => {
    expect(judged({ seen: { headSha: null } })).toBe(
      'people, tell yes: the branch of pull request #7 is gone: restore it there, or close it',
    );
  });

  it('with the commit of somebody else is adopted after a minute: the host may be on its way to ours', () => {
    const pushed = (afterMs: number): string =>
      judged({
        seen: { headSha: commit(66) },
        proposal: { changedAtMs: NOW - afterMs, lookedAtMs: NOW },
      });
    expect(pushed(PULL_HEAD_SETTLE_MS - 1)).toBe(
      'forge, tell no: somebody else may have pushed 000000000000 to its branch',
    );
    expect(pushed(PULL_HEAD_SETTLE_MS)).toBe('adopt 66');
  });

  it('at an earlier commit of ours is the host being late, for half an hour; then somebody has reset it', () => {
    const late = (afterMs: number): string =>
      judged({
        seen: { headSha: commit(9) },
        isEarlierHead: true,
        proposal: { changedAtMs: NOW - afterMs, lookedAtMs: NOW },
      });
    expect(late(FORGE_SILENT_MAX_MS - 1)).toBe(
      'forge, tell no: pull request #7 shows an earlier commit of its branch than 000000000000',
    );
    expect(late(FORGE_SILENT_MAX_MS)).toBe('adopt 9');
  });

  it('with the commit of somebody else is not adopted by the clock: a look has to find it again', () => {
    const slept = { seen: { headSha: commit(66) }, proposal: { changedAtMs: NOW - 8 * 3_600_000 } };
    for (const lookedAtMs of [null, NOW - 8 * 3_600_000])
      expect(judged({ ...slept, proposal: { ...slept.proposal, lookedAtMs } })).toContain('may have pushed');
  });
});

describe('a pull request that needs work', () => {
  it('conflicts: git is asked where, and not again before its time when git found nothing', () => {
    const conflict = { seen: { mergeable: 'conflict' }, proposal: { retryAtMs: NOW, changedAtMs: NOW } } as const;
    expect(around(NOW, conflict)).toEqual([
      'forge, tell no: pull request #7 conflicts, says its forge; git found no conflict with main; until +0',
      'conflict',
    ]);
  });

  it('conflicts for its forge alone for half an hour: that is for people, and git goes on looking', () => {
    const shown = (agoMs: number): string =>
      judged({
        seen: { mergeable: 'conflict' },
        proposal: { changedAtMs: NOW - agoMs, retryAtMs: NOW + 1 },
      });
    const text = 'pull request #7 conflicts, says its forge; git found no conflict with main';
    expect(shown(FORGE_SILENT_MAX_MS - 1)).toBe(`forge, tell no: ${text}; until +1`);
    expect(shown(FORGE_SILENT_MAX_MS)).toBe(
      `people, tell yes: ${text}: merge it there, or push to its branch; until +1`,
    );
  });

  it('was commented on: all of it is given back together, a minute after the last word', () => {
    const seen = { changesRequested: [change], threads: [thread('t1')] };
    expect(around(NOW + PULL_FEEDBACK_SETTLE_MS, { seen, proposal: { changedAtMs: NOW } })).toEqual([
      'people, tell no: pull request #7 was commented on; more may follow; until +60000',
      expect.stringMatching(/^feedback change:ann:r1:\w+ thread:t1:\w+$/),
    ]);
  });

  it('is not given back for open talks that its rig does not count', () => {
    expect(judged({ seen: { threads: [thread('t1')] }, policy: { threads: false } })).toBe('merge');
  });

  it('conflicts first, and its comments come with the next head', () => {
    expect(judged({ seen: { mergeable: 'conflict', changesRequested: [change] } })).toBe('conflict');
  });
});

describe('a pull request whose comments were worked on', () => {
  const given = (seen: Partial<PullRequest>): Over => {
    const said = judged({ seen });
    return { seen, proposal: { given: said.split(' ').slice(1) } };
  };

  it('waits for the one who asked for changes, and is not given back again', () => {
    expect(judged(given({ changesRequested: [change], threads: [thread('t1')] }))).toBe(
      'people, tell no: pull request #7 was reworked; ann has to look at it again',
    );
  });

  it('that are asked for without a word cost no run: who asks is to say what, and a person hears of it', () => {
    const mute = { id: 'r2', by: 'bob', body: '' };
    const silent = (by: string): string =>
      `people, tell yes: changes of pull request #7 are asked for by ${by} without a word: say what there, in a review or a talk`;
    expect(judged({ seen: { changesRequested: [mute] } })).toBe(silent('bob'));
    // The words of others were worked on before: it is not they who have to say more.
    const before = given({ changesRequested: [change], threads: [thread('t1')] });
    const seen = { changesRequested: [change, mute], threads: [thread('t1')] };
    expect(judged({ ...before, seen })).toBe(silent('bob'));
    // With words beside it, it is work; once that was given, who asked looks again.
    const both = { changesRequested: [mute], threads: [thread('t1')] };
    expect(judged({ seen: both })).toMatch(/^feedback change:bob:r2:\w+ thread:t1:\w+$/);
    expect(judged(given(both))).toBe('people, tell no: pull request #7 was reworked; bob has to look at it again');
  });

  it('waits for its talks to be resolved', () => {
    expect(judged(given({ threads: [thread('t1')] }))).toBe(
      'people, tell no: pull request #7 has 1 open thread, answered by rework: resolve what is settled',
    );
    expect(judged(given({ threads: [thread('t1'), thread('t2')] }))).toBe(
      'people, tell no: pull request #7 has 2 open threads, answered by rework: resolve what is settled',
    );
  });

  it('waits for checks that stayed red', () => {
    expect(judged(given({ checks: { state: 'red', failing: [failing] } }))).toBe(
      'people, tell yes: checks of pull request #7 are red at a commit whose agent has had them: look there, and run them again or push to its branch',
    );
  });

  it('waits for people when checks were stopped, or are red without a name: no agent can mend that', () => {
    const stopped = { ...failing, isForPeople: true } as const;
    expect(judged({ seen: { checks: { state: 'red', failing: [stopped] } } })).toBe(
      `people, tell yes: checks of pull request #7 were stopped or wait for somebody (${failing.name}): let them run again there`,
    );
    expect(judged({ seen: { checks: { state: 'red', failing: [stopped, failing] } } })).toContain('feedback check:');
    const many = ['a', 'b', 'c', 'd'].map((name) => ({ ...stopped, name }));
    expect(judged({ seen: { checks: { state: 'red', failing: many } } })).toContain('(a, b, c): let them run');
    expect(judged({ seen: { checks: { state: 'red', failing: [] } } })).toBe(
      'people, tell yes: checks of pull request #7 are red, and its forge does not list which: look there',
    );
  });
});

describe('a pull request that lacks something', () => {
  it('a draft waits until somebody says that it is ready, though it has its approvals', () => {
    expect(judged({ seen: { isDraft: true } })).toBe(
      'people, tell no: pull request #7 is a draft: somebody has to say that it is ready',
    );
  });

  it('waits for as many approvals as its rig wants', () => {
    expect(judged({ seen: { approvals: 0 } })).toBe('people, tell no: pull request #7 has 0 of 1 approval');
    expect(judged({ policy: { approvals: 2 } })).toBe('people, tell no: pull request #7 has 1 of 2 approvals');
    expect(judged({ seen: { approvals: 0 }, policy: { approvals: 0 } })).toBe('merge');
  });

  it('waits for checks that run, and for those that nobody can read: unknown is not green', () => {
    expect(judged({ seen: { checks: { state: 'running', failing: [] } } })).toBe(
      'checks, tell no: the checks of pull request #7 run',
    );
    expect(judged({ seen: { checks: { state: 'unknown', failing: [] } } })).toBe(
      "forge, tell no: the checks of pull request #7 can't be read now",
    );
  });

  it('asks for approvals before it speaks of checks', () => {
    expect(judged({ seen: { approvals: 0, checks: { state: 'running', failing: [] } } })).toContain('0 of 1 approval');
  });

  it('without a single check gives them two minutes to begin', () => {
    const none = { seen: { checks: { state: 'none', failing: [] } }, proposal: { changedAtMs: NOW } } as const;
    expect(around(NOW + PULL_NO_CHECKS_SETTLE_MS, { ...none, hasGates: true })).toEqual([
      'checks, tell no: checks of pull request #7 may still begin; until +120000',
      'merge',
    ]);
    expect(around(NOW + PULL_NO_CHECKS_SETTLE_MS, { ...none, policy: { checks: 'optional' } }).at(-1)).toBe('merge');
  });

  it('without checks and without gates was tested by nothing: a person has to say that this is meant', () => {
    expect(judged({ seen: { checks: { state: 'none', failing: [] } } })).toBe(
      'people, tell yes: pull request #7 has no checks, and the rig has no gates: nothing has tested it. Add some, or set pr_checks = "optional"',
    );
  });

  it('waits for what its forge has to say of it', () => {
    expect(judged({ seen: { mergeable: 'unknown' } })).toBe(
      'forge, tell no: its forge has not said yet whether pull request #7 can be merged',
    );
    expect(judged({ seen: { mergeable: 'blocked' } })).toBe(
      'people, tell no: a rule of its forge blocks pull request #7: look there at what is missing',
    );
  });

  it('in the queue of its forge is not asked for again', () => {
    expect(judged({ seen: { inQueue: true, mergeable: 'blocked' } })).toBe(
      'forge, tell no: pull request #7 is in the queue of its forge',
    );
  });

  it('behind its target is brought up to date once per head, when all else holds', () => {
    const behind = { mergeable: 'behind' } as const;
    const id = `behind:${commit(10)}`;
    expect(judged({ seen: behind })).toBe(`behind ${id}`);
    expect(judged({ seen: { ...behind, approvals: 0 } })).toContain('0 of 1 approval');
    expect(judged({ seen: behind, proposal: { given: [id] } })).toBe(
      'people, tell yes: pull request #7 has to contain the newest main, says its forge: update its branch there',
    );
    const often = Array.from({ length: PULL_BEHIND_MAX }, (_, n) => `behind:${String(n)}`);
    expect(judged({ seen: behind, proposal: { given: often } })).toContain('update its branch there');
    expect(judged({ seen: behind, proposal: { given: often.slice(1) } })).toBe(`behind ${id}`);
    expect(judged({ seen: behind, proposal: { given: [`behind:${commit(9)}`] } })).toBe(`behind ${id}`);
    // What people and checks said before counts for none of these rounds.
    const said = Array.from({ length: PULL_BEHIND_MAX }, (_, n) => `thread:t${String(n)}:words`);
    expect(judged({ seen: behind, proposal: { given: said } })).toBe(`behind ${id}`);
  });

  it('tells an agent of a rig that it has to bring the target in, as a rule of the forge', () => {
    const verdict = judgePull({
      seen: sight({ mergeable: 'behind' }),
      proposal: proposal(),
      review: { sourceBeadId: beadId('task1'), branch: 'gt/api-task1', headSha: commit(10), targetBranch: 'main' },
      policy: DEFAULT_PULL,
      hasGates: true,
      isEarlierHead: false,
      paused: null,
      nowMs: NOW,
    });
    expect(verdict).toEqual({
      kind: 'behind',
      items: [
        {
          id: `behind:${commit(10)}`,
          from: 'checks',
          head: 'Its forge merges only what contains the newest main:',
          text: 'Merge main into the branch and keep both changes.',
          origin: 'forge:rule',
        },
      ],
    });
  });
});

describe('a pull request that is ready', () => {
  it('gives people the time to object that its rig grants, counted from when it became ready', () => {
    const delayed = { policy: { delayMs: 3_600_000 } };
    const ready = (untilMs: number): string =>
      `delay, ready, tell no: pull request #7 is ready; people have 1 h to object; until +${String(untilMs)}`;
    expect(judged(delayed)).toBe(ready(3_600_000));
    expect(around(NOW + 3_000_000, { ...delayed, proposal: { readyAtMs: NOW - 600_000 } })).toEqual([
      ready(3_000_000),
      'merge',
    ]);
  });

  it('is merged by people where the rig wants that, after the delay', () => {
    expect(judged({ policy: { merge: 'people' } })).toBe(
      'people, ready, tell no: pull request #7 is ready: merge it there (pr_merge is "people")',
    );
    expect(judged({ policy: { merge: 'people', delayMs: 1_000 } })).toContain('to object');
  });

  it('waits while a person has stopped the merges into its target', () => {
    expect(judged({ paused: 'the train is stopped' })).toBe('target, ready, tell no: the train is stopped');
  });

  it('that its forge refused to merge is asked for again, and what was told of that stays told', () => {
    expect(around(NOW + 5_000, { proposal: { retryAtMs: NOW + 5_000 } })).toEqual([
      'forge, ready, tell keep: its forge did not merge pull request #7 when it was asked; it is asked again; until +5000',
      'merge',
    ]);
  });
});
