import type { BreakerScope } from './model/breaker.ts';
import { describe, expect, it } from 'vitest';
import {
  attempt,
  bead,
  beadId,
  CLOSED_BREAKER,
  commit,
  NOW,
  rigView,
  type World,
} from '../../test/support/rig-view-builder.ts';
import { rigConfig } from '../../test/support/rig-config.ts';
import type { RigBudget } from './budget.ts';
import { NO_CAPS } from './commands.ts';
import { INFRA_FAILURES_TO_OPEN, QUOTA_STAGGER_MS } from './limits.ts';
import type { Bead } from './model/bead.ts';
import type { Feature } from './model/feature.ts';
import { trusted } from './model/ids.ts';
import type { Why } from './queries.ts';
import type { Revert } from './model/revert.ts';
import type { QuotaWindow, RunnerLoad } from './view.ts';
import { whyBead } from './why.ts';

const CHANGED = NOW - 5_000;
const task = bead({ updatedAtMs: CHANGED });

/** What is not said: ready since its last change, no command, no moment to look again. */
function check(world: Partial<World>, says: Partial<Why>, of: Bead = task): void {
  expect(whyBead(rigView({ beads: [of], ...world }), of, [], NOW)).toEqual({
    id: of.id,
    state: 'ready',
    rule: 'assign-work',
    command: null,
    sinceMs: CHANGED,
    wakeAtMs: null,
    ...says,
  });
}

const ITS_TURN: Partial<Why> = {
  sentence: 'Ready; the process before it on the branch of api-task1 has not ended, or its turn comes in this moment.',
  next: 'It is dispatched.',
};

/** So many live attempts of other beads. */
const others = (count: number): World['attempts'] =>
  Array.from({ length: count }, (_, index) => attempt(bead({ id: beadId(`other${String(index)}`) })));

describe('what a ready bead waits for in its rig', () => {
  it('its turn', () => {
    check({}, ITS_TURN);
  });

  it('the process before it on the branch that it continues', () => {
    check(
      {},
      {
        ...ITS_TURN,
        sentence:
          'Ready; the process before it on the branch of api-source has not ended, or its turn comes in this moment.',
      },
      bead({ updatedAtMs: CHANGED, kind: 'rework', branchOf: beadId('source') }),
    );
  });

  it('a back-off that ends now is over', () => {
    check({}, ITS_TURN, bead({ updatedAtMs: CHANGED, failures: 1, notBeforeMs: NOW }));
  });

  it('the end of parking, whatever else', () => {
    check(
      { config: rigConfig('api', { parked: true }), attempts: others(4) },
      {
        sentence: 'Ready, but the rig api is parked.',
        next: 'A person takes the rig out of parking.',
        command: 'gt rig unpark api',
      },
    );
  });

  it('the end of the rig, when it is drained and the bead has not started', () => {
    const drained = { config: rigConfig('api', { parked: true }), draining: true };
    check(drained, {
      sentence: 'Ready, but api is drained: it is cancelled when what is in the merge line has ended.',
      next: 'The rig is removed, or a person takes it out of parking.',
      command: 'gt rig unpark api',
    });
    const rework = bead({ updatedAtMs: CHANGED, branchOf: beadId('other') });
    expect(whyBead(rigView({ beads: [rework], ...drained }), rework, [], NOW).sentence).not.toContain('drained');
  });

  it('a free polecat', () => {
    const full = {
      sentence: 'Ready; all 4 polecats of the rig are taken.',
      next: 'A polecat is free.',
    };
    check({ attempts: others(4) }, full);
    check({ attempts: others(5) }, full);
    check({ attempts: others(3) }, ITS_TURN);
  });

  it('a runner that takes work', () => {
    const down: RunnerLoad = { id: 'a', instance: 'rn-a', state: 'down', capacity: null, labels: [], used: 0 };
    check(
      { runners: [down], attempts: others(4) },
      {
        sentence: 'Ready, but no runner takes work: a is down.',
        next: 'A runner that fits comes back, or is drained no more.',
        command: 'gt runner list',
      },
    );
    check({ runners: [{ ...down, state: 'healthy' }] }, ITS_TURN);
    check(
      { hasLocalRunner: false },
      {
        sentence: 'Ready, but no runner is registered.',
        rule: 'assign-work',
        next: 'A runner that fits comes back, or is drained no more.',
        command: 'gt runner list',
      },
    );
  });

  it('a revert, for the runner that makes it', () => {
    const revert: Revert = {
      beadId: task.id,
      convoyId: trusted.convoy('hq-cv-00000'),
      commits: ['a', 'b'],
      landed: [],
      state: 'making',
      stepKey: null,
      headSha: null,
      reason: null,
      version: 1,
    };
    const of = bead({ updatedAtMs: CHANGED, kind: 'revert' });
    const made = {
      sentence: 'The runner undoes 2 merges of hq-cv-00000 on main.',
      rule: 'revert',
      next: 'The answer of the runner; then it is merged like other work.',
    };
    check({ reverts: [revert] }, made, of);
    check({ reverts: [{ ...revert, state: 'agent' }] }, ITS_TURN, of);
    check({ reverts: [revert] }, ITS_TURN);
    check({}, ITS_TURN, of);
  });

  it('the agent that it is for', () => {
    check(
      {},
      { sentence: 'Ready; waits for the agent api/polecats/nux.', next: 'That agent is free.' },
      bead({ updatedAtMs: CHANGED, pinnedAgent: 'nux' }),
    );
    // Rows of older versions: anybody of the rig takes it.
    check({}, ITS_TURN, bead({ updatedAtMs: CHANGED, pinnedAgent: 'web/polecats/nux' }));
  });

  describe('a breaker', () => {
    const open = {
      ...CLOSED_BREAKER,
      failures: INFRA_FAILURES_TO_OPEN,
      retryAtMs: NOW + 1,
      openedAtMs: NOW - 9_000,
      reason: 'No space left.',
    };
    const stopped = {
      sentence: 'Ready, but dispatch of this rig is stopped after 3 infrastructure failures: No space left.',
      next: 'A probe goes by itself when the breaker half-opens.',
      wakeAtMs: NOW + 1,
      sinceMs: NOW - 9_000,
    };

    it('keeps it until the next probe', () => {
      check({ breaker: open }, stopped);
      check({ breaker: { ...open, retryAtMs: NOW } }, ITS_TURN);
    });

    it('opens after so many failures only', () => {
      check({ breaker: { ...open, failures: INFRA_FAILURES_TO_OPEN - 1 } }, ITS_TURN);
    });

    it('may not know why', () => {
      check(
        { breaker: { ...open, reason: null } },
        {
          ...stopped,
          sentence: 'Ready, but dispatch of this rig is stopped after 3 infrastructure failures: unknown.',
        },
      );
    });

    const other = (scope: BreakerScope) => ({ ...open, scope });
    const runner = (id: string): RunnerLoad => ({
      id,
      instance: 'rn-1',
      state: 'healthy',
      capacity: null,
      labels: [],
      used: 0,
    });

    it('of its runtime keeps it, of another one does not', () => {
      const sentence =
        'Ready, but dispatch of the runtime script is stopped after 3 infrastructure failures: No space left.';
      check({ scopes: [other('runtime:script')] }, { ...stopped, sentence });
      check({ scopes: [{ ...other('runtime:script'), retryAtMs: NOW }] }, ITS_TURN);
      check({ scopes: [other('runtime:command')] }, ITS_TURN);
      check({ breaker: open, scopes: [other('runtime:script')] }, stopped);
      // A free polecat would not start it either.
      check({ scopes: [other('runtime:script')], attempts: others(4) }, { ...stopped, sentence });
    });

    it('of every runner that would take it keeps it', () => {
      const runners = [runner('far'), runner('local')];
      const scopes = [other('runner:far'), { ...other('runtime:script@local'), retryAtMs: NOW + 2 }];
      const sentence =
        'Ready, but dispatch of the runner far is stopped after 3 infrastructure failures: No space left.';
      check({ runners, scopes }, { ...stopped, sentence });
      check({ runners, scopes: scopes.slice(1) }, ITS_TURN);
    });

    it('keeps the points inside its reason', () => {
      check(
        { breaker: { ...open, reason: 'Node v24.1 is missing' } },
        {
          ...stopped,
          sentence:
            'Ready, but dispatch of this rig is stopped after 3 infrastructure failures: Node v24.1 is missing.',
        },
      );
    });
  });
});

describe('what a bead of a convoy waits for', () => {
  const CONVOY = trusted.convoy('hq-cv-00000');
  const BRANCH = 'gt/hq-cv-00000';
  const of = bead({ updatedAtMs: CHANGED, convoyId: CONVOY, targetBranch: BRANCH });
  const landing = bead({ updatedAtMs: CHANGED, kind: 'landing', convoyId: CONVOY, targetBranch: 'main' });
  const feature = (over: Partial<Feature> = {}): Feature => ({
    branch: BRANCH,
    convoyId: CONVOY,
    state: 'wanted',
    headSha: null,
    stepKey: null,
    reason: null,
    retryAtMs: null,
    escalated: false,
    version: 1,
    ...over,
  });
  const made = {
    sentence: 'The feature branch gt/hq-cv-00000 is being made on the origin.',
    rule: 'feature-branch',
    next: 'The answer of the runner.',
  };

  it.each<[string, Feature, Partial<Why>]>([
    ['the branch to be made', feature(), made],
    [
      'the branch to be checked',
      feature({ state: 'checking', headSha: commit(3) }),
      { ...made, sentence: 'The feature branch gt/hq-cv-00000 is being checked on the origin.' },
    ],
    [
      'the start of its convoy',
      feature({ state: 'staged' }),
      {
        sentence: 'Its convoy hq-cv-00000 has not started; it merges into gt/hq-cv-00000.',
        rule: 'convoy',
        next: 'Run "gt convoy start hq-cv-00000".',
      },
    ],
    [
      'a person who mends the branch',
      feature({ state: 'lost', headSha: commit(3), reason: 'Somebody rewrote it', retryAtMs: NOW + 500 }),
      {
        sentence: "The feature branch gt/hq-cv-00000 can't be used: Somebody rewrote it.",
        rule: 'feature-branch',
        next: `Mend it on the origin; its last known good commit is ${commit(3)}. It is looked at again by itself.`,
        wakeAtMs: NOW + 500,
      },
    ],
    [
      'a person who mends a branch that was never made',
      feature({ state: 'lost' }),
      {
        sentence: "The feature branch gt/hq-cv-00000 can't be used: it is not on the origin.",
        rule: 'feature-branch',
        next: 'Mend it on the origin; its last known good commit is unknown. It is looked at again by itself.',
      },
    ],
    ['nothing of its branch when that is ready', feature({ state: 'ready', headSha: commit(3) }), ITS_TURN],
  ])('%s', (_case, branch, says) => {
    check({ features: [branch] }, says, of);
  });

  it('a landing waits for the branch that it lands, not for its target', () => {
    check({ features: [feature()] }, made, landing);
    check({ features: [feature({ branch: 'main' })] }, ITS_TURN, landing);
  });

  it('a landing without a convoy waits for its target alone', () => {
    check(
      { features: [feature({ branch: 'main' })] },
      { ...made, sentence: made.sentence.replace(BRANCH, 'main') },
      {
        ...landing,
        convoyId: null,
      },
    );
  });

  it('nothing of it, when the bead merges elsewhere', () => {
    check({ features: [feature()] }, ITS_TURN, bead({ updatedAtMs: CHANGED, convoyId: CONVOY }));
  });

  it('the branch before anything of the rig', () => {
    check({ features: [feature()], config: rigConfig('api', { parked: true }) }, made, of);
  });
});

describe('what keeps a ready bead although a slot is free', () => {
  const capped = (over: Partial<typeof NO_CAPS>): Partial<World> => ({
    config: rigConfig('api', { caps: { ...NO_CAPS, ...over } }),
  });
  const window: QuotaWindow = {
    scope: 'script/default',
    account: 'script',
    model: 'default',
    openedAtMs: NOW - 3_000,
    reportedAtMs: NOW - 2_000,
    resetsAtMs: NOW + 60_000,
    isKnown: true,
    isBurst: false,
    strikes: 0,
    reason: 'limit reached',
    told: 'no',
  };

  it('a used up quota', () => {
    const used = {
      sentence: 'Ready, but the quota of account script for model default is used up: limit reached.',
      rule: 'quota',
      next: 'It opens in 1 min; or it runs with another model.',
      command: 'gt bead update api-task1 --model <name>',
      wakeAtMs: NOW + 60_000,
      sinceMs: NOW - 3_000,
    };
    check({ windows: [window] }, used);
    check(
      { windows: [{ ...window, reason: '' }] },
      { ...used, sentence: 'Ready, but the quota of account script for model default is used up.' },
    );
  });

  it('its turn after a window opened', () => {
    check(
      {
        windows: [{ ...window, resetsAtMs: NOW - 2_000 }],
        attempts: [attempt(bead({ id: beadId('other') }), { startedAtMs: NOW - 1_000 })],
      },
      {
        sentence: 'Ready; after a refusal of the provider, agents start one after the other.',
        rule: 'quota',
        next: 'Its turn comes by itself.',
        wakeAtMs: NOW - 1_000 + QUOTA_STAGGER_MS,
      },
    );
  });

  it('merge requests that wait for a person', () => {
    check(
      { ...capped({ reviewsWaitingMax: 2 }), reviewsWaiting: 3 },
      {
        sentence: 'Ready, but more than 2 merge requests wait for a person (reviews_waiting_max).',
        next: 'A person looks at them.',
        command: 'gt inbox',
      },
    );
  });

  it('the cap of its runtime', () => {
    check(
      { ...capped({ perRuntimeMax: { script: 1 } }), attempts: others(1) },
      {
        sentence: 'Ready; all 1 polecats that may use the runtime script at once are taken.',
        next: 'One of them is free.',
      },
    );
  });

  it('the cap of its account', () => {
    check(
      {
        ...capped({ account: 'work', perAccountMax: 2 }),
        attempts: others(2).map((row) => ({ ...row, quotaScope: 'work/default' })),
      },
      {
        sentence: 'Ready; all 2 polecats that may use the account work at once are taken.',
        next: 'One of them is free.',
      },
    );
  });

  describe('a budget', () => {
    const budget = (over: Partial<RigBudget> = {}): RigBudget => ({
      id: 'rig:api:usd:hard',
      scope: 'rig:api',
      unit: 'usd',
      kind: 'hard',
      amount: 10_000_000,
      shared: false,
      since: 1,
      granted: 0,
      returned: 0,
      wanted: 0,
      least: 0,
      waiting: false,
      townSpent: 0,
      townReserved: 0,
      ...over,
    });
    const town = budget({ id: 'town:tokens:hard', scope: 'town', unit: 'tokens', amount: 2_000_000, shared: true });

    it('of its own rig', () => {
      check(
        { budgets: [budget()], uses: { 'rig:api:usd:hard': { spent: 9_000_000, reserved: 1_000_000 } } },
        {
          sentence: 'Ready; waits for the budget of rig api: spent $9.00 of $10.00, $1.00 reserved.',
          rule: 'budget',
          next: 'Something of it is free again, or raise it with "gt budget set rig api --usd <more>" (now $10.00).',
        },
      );
    });

    it.each<[string, Partial<RigBudget>, string]>([
      [
        'what all rigs use, where that is more',
        { townSpent: 1_900_000, townReserved: 100_000 },
        'spent 1,900,000 tokens of 2,000,000 tokens, 100,000 tokens reserved',
      ],
      [
        'what it uses itself, where the town has not heard of it yet',
        { townSpent: 10, townReserved: 20 },
        'spent 700 tokens of 2,000,000 tokens, 300 tokens reserved',
      ],
    ])('of the town: %s', (_case, over, told) => {
      check(
        { budgets: [{ ...town, ...over }], uses: { [town.id]: { spent: 700, reserved: 300 } } },
        {
          sentence: `Ready; waits for the budget of town: ${told}.`,
          rule: 'budget',
          next: 'Something of it is free again, or raise it with "gt budget set town --tokens <more>" (now 2,000,000 tokens).',
        },
      );
    });

    it('of its own rig and of the town', () => {
      check(
        {
          budgets: [budget(), town],
          uses: { 'rig:api:usd:hard': { spent: 10_000_000, reserved: 0 } },
        },
        {
          sentence:
            'Ready; waits for the budget of rig api: spent $10.00 of $10.00, $0.00 reserved, and for the budget of town: spent 0 tokens of 2,000,000 tokens, 0 tokens reserved.',
          rule: 'budget',
          next: 'Something of it is free again, or raise it with "gt budget set rig api --usd <more>" (now $10.00).',
        },
      );
    });
  });
});
