import { describe, expect, it } from 'vitest';
import { agent, attempt, bead, beadId, NOW } from '../../test/support/rig-view-builder.ts';
import type { Agent } from './model/agent.ts';
import type { Why } from './queries.ts';
import type { AttemptFacts } from './view.ts';
import { whyAgent } from './why.ts';

const CHANGED = NOW - 5_000;
const task = bead();
const live = attempt(task);

type Row = readonly [given: string, of: Partial<Agent>, attempt: AttemptFacts | null, says: Partial<Why>];

describe('what an agent does or waits for', () => {
  it.each<Row>([
    [
      'nothing on its hook',
      { status: 'idle' },
      null,
      { sentence: 'Idle: nothing is on its hook.', rule: 'free-agent', next: 'Ready work and a free slot.' },
    ],
    [
      'started',
      { status: 'starting', hookBeadId: task.id, leaseUntilMs: NOW + 60_000 },
      live,
      {
        sentence: 'Is being started on api-task1.',
        rule: 'assign-work',
        next: 'The runner confirms the process.',
        wakeAtMs: NOW + 60_000,
      },
    ],
    [
      'started without a hook',
      { status: 'starting' },
      live,
      {
        sentence: 'Is being started on its hook.',
        rule: 'assign-work',
        next: 'The runner confirms the process.',
      },
    ],
    [
      'at work',
      { status: 'working', hookBeadId: task.id },
      live,
      {
        sentence: `Works on api-task1 (attempt ${live.id}, epoch 1).`,
        rule: 'assign-work',
        next: 'It calls "gt done", or its process ends.',
      },
    ],
    [
      'at work without an attempt',
      { status: 'working' },
      null,
      { sentence: 'Works on nothing.', rule: 'assign-work', next: 'It calls "gt done", or its process ends.' },
    ],
    [
      'stopped',
      { status: 'stopping', hookBeadId: task.id },
      { ...live, outcome: 'agent_error' },
      {
        sentence: 'Its attempt ended (agent_error); its process is being stopped.',
        rule: 'free-agent',
        next: 'The runner proves that nothing of it is left.',
      },
    ],
    [
      'stopped for an unknown reason',
      { status: 'stopping' },
      null,
      {
        sentence: 'Its attempt ended (unknown); its process is being stopped.',
        rule: 'free-agent',
        next: 'The runner proves that nothing of it is left.',
      },
    ],
    [
      'silent',
      { status: 'stalled', hookBeadId: task.id, lastActivityAtMs: NOW - 900_000 },
      live,
      {
        sentence: 'Has api-task1 on its hook but shows no activity since its last sign of life.',
        rule: 'gupp',
        next: 'It shows activity, or it is asked, reported and at last stopped.',
        sinceMs: NOW - 900_000,
      },
    ],
    [
      'silent since its start',
      { status: 'stalled' },
      live,
      {
        sentence: 'Has work on its hook but shows no activity since its start.',
        rule: 'gupp',
        next: 'It shows activity, or it is asked, reported and at last stopped.',
        sinceMs: null,
      },
    ],
    [
      'asks a person',
      { status: 'waiting', hookBeadId: task.id },
      { ...live, question: { text: 'Which port?', atMs: NOW - 700 } },
      {
        sentence: 'api/polecats/nux waits for a person: Which port?',
        rule: 'events',
        next: 'A person answers.',
        command: 'gt mail send api/polecats/nux "<answer>"',
        sinceMs: NOW - 700,
      },
    ],
    [
      'asks without a question',
      { status: 'waiting' },
      live,
      {
        sentence: 'api/polecats/nux waits for a person: it said so.',
        rule: 'events',
        next: 'A person answers.',
        command: 'gt mail send api/polecats/nux "<answer>"',
      },
    ],
    [
      'asks without an attempt',
      { status: 'waiting' },
      null,
      {
        sentence: 'api/polecats/nux waits for a person: it said so.',
        rule: 'events',
        next: 'A person answers.',
        command: 'gt mail send api/polecats/nux "<answer>"',
      },
    ],
    [
      'out of contact',
      { status: 'unknown', hookBeadId: beadId('task1') },
      live,
      {
        sentence: 'Contact is lost.',
        rule: 'lost-contact',
        next: 'The runner answers, or the takeover deadline passes.',
      },
    ],
  ])('%s', (_given, over, own, says) => {
    const of = agent('nux', { updatedAtMs: CHANGED, ...over });
    expect(whyAgent(of, own)).toEqual({
      id: of.id,
      state: of.status,
      sinceMs: CHANGED,
      command: null,
      wakeAtMs: null,
      ...says,
    });
  });
});
