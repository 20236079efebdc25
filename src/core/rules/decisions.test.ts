import { describe, expect, it } from 'vitest';
import {
  agent,
  attempt,
  bead,
  beadId,
  CLOSED_BREAKER,
  commit,
  exitRecord,
  mergeRequest,
  NOW,
  polecat,
  review,
  rigView,
  type World,
} from '../../../test/support/rig-view-builder.ts';
import { mail } from '../../../test/support/town-builder.ts';
import type { Decision, RigAction } from '../actions.ts';
import { BEADS_KEPT_MS, BREAKER_PROOF_MS, INFRA_FAILURES_TO_OPEN, TAKEOVER_AFTER_MS } from '../limits.ts';
import type { Feature } from '../model/feature.ts';
import { trusted } from '../model/ids.ts';
import { abortedConvoy } from './aborted-convoy.ts';
import { archiveBead, retireAgent } from './archive.ts';
import { assignWork } from './assign-work.ts';
import { deadAgent } from './dead-agent.ts';
import { dispatchBreaker, provenHealthy } from './dispatch-breaker.ts';
import { freeAgent } from './free-agent.ts';
import { startLanding } from './landing.ts';
import { lostContact } from './lost-contact.ts';
import { mailExpiry } from './mail-expiry.ts';
import { mergeTrain } from './merge-train.ts';
import type { RigRule } from './rule.ts';
import { skipBlocked } from './skip-blocked.ts';

/** What people read of a decision in `gt feed`: its rule, what it is about, and why. */

const running = bead({ status: 'in_progress' });
const source = bead({ status: 'in_review' });
const own = attempt(running);
const gone = attempt(running, { processGone: true });
const CONVOY = trusted.convoy('hq-cv-00000');
const feature: Feature = {
  branch: 'gt/hq-cv-00000',
  convoyId: CONVOY,
  state: 'ready',
  headSha: commit(3),
  stepKey: null,
  reason: null,
  retryAtMs: null,
  escalated: false,
  version: 1,
};
const landing = bead({ kind: 'landing', convoyId: CONVOY });
const broken = { ...CLOSED_BREAKER, failures: INFRA_FAILURES_TO_OPEN, openedAtMs: 0, reason: 'no runner' };
const quota = { resetsAtMs: null, reason: 'limit reached', atMs: NOW - 2_000 };

type Said = Pick<Decision<RigAction>, 'rule' | 'entity' | 'reason'>;
interface Case {
  readonly rule: RigRule;
  readonly id: string;
  readonly world: Partial<World>;
  readonly says: readonly Said[];
}
const ATTEMPT = `attempt:${own.id}`;

describe('what is read of a decision', () => {
  it.each<[string, Case]>([
    [
      'a bead is dispatched',
      {
        rule: assignWork,
        id: '',
        world: { ready: [bead()] },
        says: [{ rule: 'assign-work', entity: 'schedule:', reason: 'api-task1 is first in line and a slot is free' }],
      },
    ],
    [
      'a bead is the probe of a breaker',
      {
        rule: assignWork,
        id: '',
        world: { ready: [bead()], breaker: { ...broken, retryAtMs: NOW } },
        says: [
          { rule: 'assign-work', entity: 'schedule:', reason: 'api-task1 is the probe of the rig api' },
          {
            rule: 'assign-work',
            entity: 'schedule:',
            reason: 'one probe while the dispatch breaker is half-open',
          },
        ],
      },
    ],
    [
      'a process ended',
      {
        rule: deadAgent,
        id: own.id,
        world: { beads: [running], attempts: [{ ...gone, exit: exitRecord() }] },
        says: [{ rule: 'dead-agent', entity: ATTEMPT, reason: 'The agent ended with exit code 1: boom' }],
      },
    ],
    [
      'a process is gone without a word',
      {
        rule: deadAgent,
        id: own.id,
        world: { beads: [running], attempts: [gone] },
        says: [{ rule: 'dead-agent', entity: ATTEMPT, reason: 'The process is gone and nothing is known of its end.' }],
      },
    ],
    [
      'a quota ended a process',
      {
        rule: deadAgent,
        id: own.id,
        world: { beads: [running], attempts: [{ ...gone, exit: exitRecord(), quota }] },
        says: [
          {
            rule: 'dead-agent',
            entity: ATTEMPT,
            reason: 'The quota of script/default is used up. The provider said: limit reached',
          },
        ],
      },
    ],
    [
      'a quota of an unknown account ended a process',
      {
        rule: deadAgent,
        id: own.id,
        world: {
          beads: [running],
          attempts: [{ ...gone, exit: exitRecord(), quota: { ...quota, reason: '' }, quotaScope: null }],
        },
        says: [{ rule: 'dead-agent', entity: ATTEMPT, reason: 'The quota of its account is used up.' }],
      },
    ],
    [
      'nobody could be started for long',
      {
        rule: dispatchBreaker,
        id: '',
        world: { breaker: broken },
        says: [{ rule: 'dispatch-breaker', entity: 'schedule:', reason: 'dispatch has been stopped for too long' }],
      },
    ],
    [
      'an agent runs again',
      {
        rule: provenHealthy,
        id: own.id,
        world: { breaker: broken, attempts: [{ ...own, runningAtMs: NOW - BREAKER_PROOF_MS }] },
        says: [{ rule: 'dispatch-breaker', entity: ATTEMPT, reason: 'a process started after the failures runs well' }],
      },
    ],
    [
      'an agent is idle',
      {
        rule: freeAgent,
        id: polecat('nux'),
        world: { agents: [agent('nux', { status: 'stopping' })] },
        says: [{ rule: 'free-agent', entity: 'agent:api/polecats/nux', reason: 'its process is proven gone' }],
      },
    ],
    [
      'an agent is stopped',
      {
        rule: freeAgent,
        id: polecat('nux'),
        world: {
          agents: [agent('nux', { status: 'working' })],
          attempts: [{ ...own, endedAtMs: NOW, outcome: 'cancelled' }],
        },
        says: [{ rule: 'free-agent', entity: 'agent:api/polecats/nux', reason: 'its attempt ended (cancelled)' }],
      },
    ],
    [
      'an agent is stopped for an unknown reason',
      {
        rule: freeAgent,
        id: polecat('nux'),
        world: { agents: [agent('nux', { status: 'working' })], attempts: [{ ...own, endedAtMs: NOW }] },
        says: [{ rule: 'free-agent', entity: 'agent:api/polecats/nux', reason: 'its attempt ended (unknown)' }],
      },
    ],
    [
      'a runner is given up',
      {
        rule: lostContact,
        id: own.id,
        world: { beads: [running], attempts: [{ ...own, contactLostAtMs: NOW - TAKEOVER_AFTER_MS }] },
        says: [
          {
            rule: 'lost-contact',
            entity: ATTEMPT,
            reason: 'The runner did not answer until the takeover deadline.',
          },
        ],
      },
    ],
    [
      'a mail goes back',
      {
        rule: mailExpiry,
        id: '',
        world: { mail: [mail({ to: 'api/polecats/nux', expiresAtMs: NOW })] },
        says: [
          {
            rule: 'mail-expiry',
            entity: 'mailbox:',
            reason: 'api/polecats/nux has not read ml-0000000000000000 in time',
          },
        ],
      },
    ],
    [
      'a merge begins',
      {
        rule: mergeTrain,
        id: 'main',
        world: { beads: [source], reviews: [review(source)], line: [review(source)] },
        says: [{ rule: 'merge-train', entity: 'train:main', reason: 'api-merge is first in line for main' }],
      },
    ],
    [
      'a landing begins',
      {
        rule: startLanding,
        id: landing.id,
        world: { beads: [landing], features: [feature] },
        says: [{ rule: 'landing', entity: 'bead:api-task1', reason: `gt/hq-cv-00000 is whole at ${commit(3)}` }],
      },
    ],
    [
      'a bead is skipped',
      {
        rule: skipBlocked,
        id: bead().id,
        world: { beads: [bead({ failedBlockers: 1 })], skipping: [bead().id] },
        says: [
          {
            rule: 'skip-blocked',
            entity: 'bead:api-task1',
            reason: 'something it waits for failed, and its convoy skips such beads',
          },
        ],
      },
    ],
    [
      'a bead rests in the archive',
      {
        rule: archiveBead,
        id: bead().id,
        world: { beads: [bead({ status: 'closed', closedAtMs: NOW - BEADS_KEPT_MS })] },
        says: [{ rule: 'archive', entity: 'bead:api-task1', reason: 'ended long ago, and nothing needs it' }],
      },
    ],
    [
      'an agent retires',
      {
        rule: retireAgent,
        id: polecat('nux'),
        world: { agents: [agent('nux')] },
        says: [{ rule: 'retire-agent', entity: 'agent:api/polecats/nux', reason: 'not used for long' }],
      },
    ],
    [
      'a bead of an aborted convoy is not tried again',
      {
        rule: abortedConvoy,
        id: bead().id,
        world: { beads: [bead()], aborted: [bead().id] },
        says: [
          {
            rule: 'aborted-convoy',
            entity: 'bead:api-task1',
            reason: 'its convoy was aborted, so it is not tried again',
          },
        ],
      },
    ],
  ])('when %s', (_case, { rule, id, world, says }) => {
    const { decisions } = rule(rigView(world), id, NOW);
    expect(decisions.map(({ rule: name, entity, reason }) => ({ rule: name, entity, reason }))).toEqual(says);
    for (const { actions } of decisions) expect(actions).not.toEqual([]);
  });
});

describe('startLanding', () => {
  it('puts the feature branch in line for the target, at the head that was checked', () => {
    const view = rigView({ beads: [landing], features: [feature] });
    expect(startLanding(view, landing.id, NOW).decisions.flatMap(({ actions }) => actions)).toEqual([
      { type: 'transition_bead', bead: landing.id, from: 'open', to: 'in_review' },
      { type: 'create_review', source: landing.id, head: commit(3), branch: 'gt/hq-cv-00000' },
    ]);
  });

  it.each<[string, Partial<World>]>([
    ['a bead that is gone', { features: [feature] }],
    ['a bead that lands nothing', { beads: [bead({ convoyId: CONVOY })], features: [feature] }],
    ['a landing that has begun', { beads: [{ ...landing, status: 'in_review' }], features: [feature] }],
    ['a landing without a convoy', { beads: [{ ...landing, convoyId: null }], features: [feature] }],
    ['a branch that is unknown', { beads: [landing] }],
    ['a branch that is not checked', { beads: [landing], features: [{ ...feature, state: 'checking' }] }],
    ['a branch without a head', { beads: [landing], features: [{ ...feature, headSha: null }] }],
  ])('does nothing with %s', (_case, world) => {
    expect(startLanding(rigView(world), landing.id, NOW)).toEqual({ decisions: [], wakeAtMs: null });
  });
});

describe('skipBlocked', () => {
  it.each([
    [CONVOY, 'hq-cv-00000'],
    [null, 'gone'],
  ])('cancels a bead of the convoy %s and says why', (convoyId, named) => {
    const blocked = bead({ failedBlockers: 1, convoyId });
    const view = rigView({ beads: [blocked], skipping: [blocked.id] });
    expect(skipBlocked(view, blocked.id, NOW).decisions.flatMap(({ actions }) => actions)).toEqual([
      {
        type: 'transition_bead',
        bead: blocked.id,
        from: 'open',
        to: 'closed',
        closeReason: 'cancelled',
        evidence: { note: `skipped: a bead that it waits for failed or was cancelled (convoy ${named})` },
      },
    ]);
  });

  it.each<[string, Partial<World>]>([
    ['is gone', {}],
    ['runs', { beads: [bead({ failedBlockers: 1, status: 'in_progress' })] }],
    ['waits for nothing that failed', { beads: [bead()] }],
  ])('leaves a bead alone that %s', (_case, world) => {
    expect(skipBlocked(rigView({ skipping: [bead().id], ...world }), bead().id, NOW)).toEqual({
      decisions: [],
      wakeAtMs: null,
    });
  });

  it('leaves a bead blocked whose convoy does not skip', () => {
    const view = rigView({ beads: [bead({ failedBlockers: 1 })] });
    expect(skipBlocked(view, bead().id, NOW).decisions).toEqual([]);
  });
});

describe('abortedConvoy', () => {
  const judge = (world: Partial<World>, id = bead().id) =>
    abortedConvoy(rigView({ aborted: [bead().id], ...world }), id, NOW).decisions.flatMap(({ actions }) => actions);
  const cancelled = (from: string, convoy: string): object => ({
    type: 'transition_bead',
    bead: bead().id,
    from,
    to: 'closed',
    closeReason: 'cancelled',
    evidence: { note: `not tried again: the convoy ${convoy} was aborted` },
  });

  it('ends a bead that would begin again', () => {
    expect(judge({ beads: [bead({ convoyId: CONVOY })] })).toEqual([cancelled('open', 'hq-cv-00000')]);
    expect(judge({ beads: [bead()] })).toEqual([cancelled('open', '')]);
  });

  it('ends the source of a rework that would begin', () => {
    const rework = bead({ id: beadId('fix'), kind: 'rework', branchOf: source.id });
    const beads = [{ ...source, convoyId: CONVOY }, rework];
    const at = (step: 'reworking' | 'pushing') => judge({ beads, reviews: [review(source, { step })] }, rework.id);
    expect(at('reworking')).toEqual([cancelled('in_review', 'hq-cv-00000')]);
    // Its push is under way: git decides.
    expect(at('pushing')).toEqual([]);
  });

  it.each<[string, Partial<World>]>([
    ['is gone', { beads: [] }],
    ['is a merge request', { beads: [{ ...mergeRequest(source), id: bead().id }] }],
    ['runs', { beads: [running] }],
    ['is in a convoy that goes on', { beads: [bead()], aborted: [] }],
  ])('leaves a bead alone that %s', (_case, world) => {
    expect(judge(world)).toEqual([]);
  });

  it('leaves a rework alone that runs: what an agent works on may end well', () => {
    const rework = bead({ id: beadId('fix'), kind: 'rework', branchOf: source.id, status: 'in_progress' });
    expect(judge({ beads: [source, rework] }, rework.id)).toEqual([]);
  });

  it.each(['in_progress', 'closed', 'failed'] as const)('leaves a rework alone whose source is %s', (status) => {
    const rework = bead({ id: beadId('fix'), kind: 'rework', branchOf: source.id });
    expect(judge({ beads: [{ ...source, status }, rework] }, rework.id)).toEqual([]);
    expect(judge({ beads: [rework] }, rework.id)).toEqual([]);
  });
});
