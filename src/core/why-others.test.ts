import { describe, expect, it } from 'vitest';
import { attempt, bead, beadId, CLOSED_BREAKER, NOW, rigView } from '../../test/support/rig-view-builder.ts';
import { rigConfig } from '../../test/support/rig-config.ts';
import { escalation, mail } from '../../test/support/town-builder.ts';
import { INFRA_FAILURES_TO_OPEN } from './limits.ts';
import type { EscalationOption } from './model/escalation.ts';
import type { Attempt } from './model/agent.ts';
import { DAEMON_SUBJECT, type Health } from './model/health.ts';
import type { EscalationSummary, Why } from './queries.ts';
import { rigState, whyDaemon, whyEscalation, whyMail, whyAtRunner, whyRig, whyRunner } from './why-others.ts';

describe('why a rig starts nothing', () => {
  const said = (over: Partial<Why>): Partial<Why> => ({
    id: 'rig:api',
    state: 'ready',
    rule: 'assign-work',
    sinceMs: null,
    command: null,
    wakeAtMs: null,
    ...over,
  });
  const broken = {
    ...CLOSED_BREAKER,
    failures: INFRA_FAILURES_TO_OPEN,
    retryAtMs: NOW + 1,
    openedAtMs: NOW - 9_000,
    reason: 'No space left.',
  };

  it('nothing runs, and nothing waits for it', () => {
    expect(whyRig(rigView(), 0, NOW)).toEqual(
      said({
        sentence: 'api has nothing to do.',
        next: 'Work is slung.',
        command: 'gt sling "<title>" --rig api',
      }),
    );
  });

  it('it works, and nothing waits', () => {
    expect(whyRig(rigView({ attempts: [attempt(bead())] }), 0, NOW)).toEqual(
      said({ sentence: 'api works: 1 of 4 polecats are taken, no bead waits.', next: 'An agent is done.' }),
    );
  });

  it.each([
    [1, '1 bead waits'],
    [2, '2 beads wait'],
  ])('it works, and %i wait', (waiting, count) => {
    const attempts = [attempt(bead()), attempt(bead({ id: beadId('task2') }))];
    expect(whyRig(rigView({ attempts }), waiting, NOW)).toEqual(
      said({
        sentence: `api works: 2 of 4 polecats are taken, ${count}.`,
        next: 'A polecat is free, or what beads wait for is done.',
      }),
    );
  });

  it('it is parked, whatever its breaker says', () => {
    const view = rigView({ config: rigConfig('api', { parked: true }), breaker: broken });
    expect(rigState(view, NOW)).toBe('parked');
    expect(whyRig(view, 3, NOW)).toEqual(
      said({
        state: 'parked',
        sentence: 'api is parked: nothing of it is started, 3 beads wait.',
        next: 'A person takes it out of parking.',
        command: 'gt rig unpark api',
      }),
    );
  });

  const stopped = {
    state: 'breaker_open',
    sentence: 'No agent can be started in api after 3 failures: No space left.',
    rule: 'dispatch-breaker',
    sinceMs: NOW - 9_000,
    next: 'When the wait is over, the next bead that needs it is a probe; it goes by itself.',
    command: 'gt doctor',
    wakeAtMs: NOW + 1,
  };

  it('agents could not be started', () => {
    expect(whyRig(rigView({ breaker: broken }), 1, NOW)).toEqual(said(stopped));
    expect(whyRig(rigView({ breaker: { ...broken, reason: null } }), 1, NOW)).toEqual(
      said({ ...stopped, sentence: 'No agent can be started in api after 3 failures: unknown.' }),
    );
  });

  it('agents could not be started with one runtime; its own breaker speaks first', () => {
    const runtime = { ...broken, scope: 'runtime:command' as const };
    const few = { ...broken, scope: 'runner:far' as const, failures: INFRA_FAILURES_TO_OPEN - 1 };
    expect(whyRig(rigView({ scopes: [few, runtime] }), 1, NOW)).toEqual(
      said({
        ...stopped,
        state: 'ready',
        sentence: 'No agent can be started with the runtime command in api after 3 failures: No space left.',
      }),
    );
    expect(whyRig(rigView({ breaker: broken, scopes: [runtime] }), 1, NOW)).toEqual(said(stopped));
  });

  it('from the moment of the probe on it may go, and the sentence stays until one has gone well', () => {
    const view = rigView({ breaker: { ...broken, retryAtMs: NOW } });
    expect(rigState(view, NOW)).toBe('ready');
    expect(whyRig(view, 1, NOW)).toEqual(said({ ...stopped, state: 'ready', wakeAtMs: null }));
  });

  it('it is drained before its removal: its merge line ends, unless a person has paused that', () => {
    const view = rigView({ config: rigConfig('api', { parked: true }), draining: true });
    const train = {
      target: 'main',
      state: 'paused',
      reason: 'a freeze',
      changedBy: 'human/ada',
      changedAtMs: NOW,
      waiting: 1,
    } as const;
    expect(rigState(view, NOW)).toBe('draining');
    expect(whyRig(view, 2, NOW)).toEqual(
      said({
        state: 'draining',
        sentence:
          'api is drained before its removal: what is in its merge line ends, with its rework, and what has not started is cancelled then; 2 beads wait.',
        next: 'The command goes on, and names what it waits for; "gt rig unpark" takes it back.',
        command: 'gt rig remove api --drain',
      }),
    );
    expect(whyRig(view, 2, NOW, [train])).toMatchObject({ state: 'draining', command: 'gt mq resume api' });
    expect(whyRig(rigView(), 2, NOW, [{ ...train, state: 'red' }]).state).toBe('ready');
  });

  it('a person paused one of its trains, which is said before all that works', () => {
    const train = {
      target: 'main',
      state: 'paused',
      reason: 'a freeze',
      changedBy: 'human/ada',
      changedAtMs: NOW - 60_000,
      waiting: 0,
    } as const;
    const paused = said({
      sentence: 'The merge train of main is paused by human/ada since 1 min: a freeze; nothing waits.',
      rule: 'merge-train',
      next: 'A person lets it go on.',
      command: 'gt mq resume api',
      sinceMs: NOW - 60_000,
    });
    expect(whyRig(rigView(), 1, NOW, [{ ...train, target: 'next', state: 'red' }, train])).toEqual(paused);
    expect(whyRig(rigView(), 0, NOW, [{ ...train, state: 'red' }]).sentence).toBe('api has nothing to do.');
    expect(whyRig(rigView(), 0, NOW).sentence).toBe('api has nothing to do.');
  });

  it('so many failures, not fewer, open the breaker', () => {
    const view = rigView({ breaker: { ...broken, failures: INFRA_FAILURES_TO_OPEN - 1 } });
    expect(rigState(view, NOW)).toBe('ready');
    expect(whyRig(view, 1, NOW).rule).toBe('assign-work');
  });
});

describe('how the daemon is', () => {
  it('up, when it answers itself; else somebody reads its files', () => {
    const common = { id: DAEMON_SUBJECT, rule: 'watchdog', sinceMs: null, wakeAtMs: null };
    expect(whyDaemon(true)).toEqual({
      ...common,
      state: 'up',
      sentence: 'The daemon runs: it answered this question.',
      next: 'Nothing; "gt daemon status" shows since when.',
      command: null,
    });
    expect(whyDaemon(false)).toEqual({
      ...common,
      state: 'down',
      sentence: 'The daemon does not run, so nothing is decided; what is recorded can still be read.',
      next: 'A person starts it.',
      command: 'gt up',
    });
  });
});

describe('how the runner is', () => {
  const health = (over: Partial<Health>): Health => ({
    subject: 'runner',
    state: 'ok',
    missed: 0,
    answeredAtMs: 50,
    askedAtMs: 60,
    detail: null,
    ...over,
  });
  const unanswered = { next: 'It answers, or the daemon starts another.', command: 'gt doctor', sinceMs: 50 };

  it.each<[string, Health | null, Partial<Why>]>([
    [
      'well',
      health({}),
      {
        state: 'up',
        sentence: 'The runner answered when it was asked last.',
        sinceMs: 50,
        next: 'Nothing; it is asked while something runs.',
      },
    ],
    [
      'suspect after one question',
      health({ state: 'suspect', missed: 1, detail: 'connection refused' }),
      { ...unanswered, state: 'suspect', sentence: 'The runner has not answered once: connection refused.' },
    ],
    [
      'down after three',
      health({ state: 'down', missed: 3 }),
      { ...unanswered, state: 'down', sentence: 'The runner has not answered 3 times in a row: no answer.' },
    ],
    [
      'down without ever having answered',
      health({ state: 'down', missed: 3, answeredAtMs: null }),
      {
        ...unanswered,
        state: 'down',
        sentence: 'The runner has not answered 3 times in a row: no answer.',
        sinceMs: 60,
      },
    ],
    [
      'not asked since nothing runs',
      health({ state: 'unknown' }),
      {
        state: 'unknown',
        sentence: 'The runner was not asked lately: it is asked every few minutes while something runs.',
        sinceMs: null,
        next: 'Work starts.',
      },
    ],
    [
      'never asked',
      null,
      {
        state: 'unknown',
        sentence: 'The runner was not asked lately: it is asked every few minutes while something runs.',
        sinceMs: null,
        next: 'Work starts.',
      },
    ],
  ])('%s', (_given, of, says) => {
    expect(whyRunner(of)).toEqual({ id: 'runner', rule: 'watchdog', command: null, wakeAtMs: null, ...says });
  });
});

describe('what an escalation waits for', () => {
  const CREATED = 7 * 60 * 60_000;
  const options: readonly EscalationOption[] = [
    { key: 'a', name: 'retry', what: 'It is tried again.' },
    { key: 'b', name: 'cancel', what: 'It is given up.' },
  ];
  const ADA = { status: 'acknowledged', acknowledgedBy: 'human/ada', acknowledgedAtMs: 900 } as const;

  it.each<[string, Partial<EscalationSummary>, Partial<Why>]>([
    [
      'a person',
      {},
      {
        state: 'open',
        sentence: 'Something is wrong.',
        next: 'A person takes care of it.',
        command: 'gt escalation ack hq-esc-00000',
      },
    ],
    [
      'a person, before it rises',
      { nextEscalationAtMs: CREATED + 2 * 60 * 60_000 },
      {
        state: 'open',
        sentence: 'Something is wrong.',
        next: 'A person takes care of it, or it rises after 2 h.',
        command: 'gt escalation ack hq-esc-00000',
        wakeAtMs: CREATED + 2 * 60 * 60_000,
      },
    ],
    [
      'a choice',
      { options },
      {
        state: 'open',
        sentence: 'Something is wrong.',
        next: 'A person takes care of it. a retry: It is tried again. ("gt escalation decide hq-esc-00000 a") b cancel: It is given up. ("gt escalation decide hq-esc-00000 b")',
        command: null,
      },
    ],
    [
      'the person who takes care of it; it does not rise',
      { ...ADA, nextEscalationAtMs: 5_000 },
      {
        state: 'acknowledged',
        sentence: 'Something is wrong.',
        next: 'human/ada takes care of it.',
        command: 'gt escalation resolve hq-esc-00000',
      },
    ],
    [
      'nothing: its cause is gone',
      { status: 'resolved', resolvedAtMs: 700, resolvedBy: null, resolution: null },
      { state: 'resolved', sentence: 'Resolved by its cause: Something is wrong.', next: null, sinceMs: 700 },
    ],
    [
      'nothing: a person resolved it',
      { status: 'resolved', resolvedAtMs: 700, resolvedBy: 'human/ada', resolution: 'More disk' },
      { state: 'resolved', sentence: 'Resolved by human/ada: More disk.', next: null, sinceMs: 700 },
    ],
  ])('%s', (_given, over, says) => {
    expect(whyEscalation(escalation({ createdAtMs: CREATED, ...over }))).toEqual({
      id: 'hq-esc-00000',
      rule: 'escalation',
      sinceMs: CREATED,
      command: null,
      wakeAtMs: null,
      ...says,
    });
  });
});

describe('what a mail waits for', () => {
  it.each([
    [null, 'unread', 'Somebody reads it, or it goes back to its sender.'],
    [9, 'read', null],
  ])('read at %s', (readAtMs, state, next) => {
    const of = mail({ createdAtMs: 7, readAtMs, subject: 'Which port' });
    expect(whyMail(of)).toEqual({
      id: of.id,
      state,
      sentence: 'Mail from api/polecats/nux to human/: Which port.',
      rule: 'mail-expiry',
      sinceMs: 7,
      next,
      command: `gt mail read ${of.id}`,
      wakeAtMs: null,
    });
  });
});

describe('a bead whose agent is being started', () => {
  const why: Why = {
    id: 'api-a',
    state: 'running',
    sentence: 'nux is being started.',
    rule: 'assign-work',
    sinceMs: 1,
    next: 'The runner confirms the process.',
    command: null,
    wakeAtMs: null,
  };
  const trouble = { starts: 3, cause: 'EACCES', sinceMs: 5 };
  const starts = { endedAtMs: null, runningAtMs: null, runner: 'local' };
  const at = (over: Partial<Pick<Attempt, keyof typeof starts>>) => [{ ...starts, ...over }];

  it('by a runner that does not start says that', () => {
    expect(whyAtRunner(why, at({}), trouble)).toMatchObject({
      sentence: 'nux is being started. The runner beside the daemon does not start (tried 3 times in a row): EACCES.',
      command: 'gt doctor',
      sinceMs: 1,
    });
  });

  it.each([
    ['no trouble', at({}), null],
    ['another runner', at({ runner: 'big-box' }), trouble],
    ['an agent that runs', at({ runningAtMs: 9 }), trouble],
    ['an attempt that ended', at({ endedAtMs: 9 }), trouble],
    ['no attempt', [], trouble],
  ])('says nothing of it: %s', (_given, attempts, of) => {
    expect(whyAtRunner(why, attempts, of)).toBe(why);
  });
});
