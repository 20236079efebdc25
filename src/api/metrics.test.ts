import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { noFigures } from '../../test/support/no-figures.ts';
import { Histogram } from '../hosts/node/histogram.ts';
import type { TownStatus } from '../core/queries.ts';
import { metricsOf } from './metrics.ts';

const status = {
  id: 't',
  name: 't',
  rigs: [
    {
      id: 'app"\n',
      status: 'parked',
      polecatsMax: 4,
      liveAttempts: 2,
      counts: { open: 3, closed: 1 },
      readyBeads: 1,
      queueLength: 0,
      stoppedTrains: [{}],
    },
  ],
  convoys: [{ status: 'active' }, { status: 'active' }, { status: 'landed' }],
  workingAgents: 2,
  mergedLastHour: 5,
  attention: [{ severity: 'high' }, { severity: 'high' }],
  runner: { instance: null, state: 'up', pid: null },
  health: [{ subject: 'runner', state: 'down' }],
  violations: [],
} as unknown as TownStatus;

describe('the figures of a town', () => {
  const turns = new Histogram();
  for (const ms of [0.4, 3, 3, 5_000]) turns.add(ms);
  const text = metricsOf(status, { ...noFigures(), streamReaders: 7, turns: turns.figures() });
  const lines = text.split('\n');

  it('each have a help line, a type and the prefix', () => {
    for (const line of lines.filter((one) => one !== '' && !one.startsWith('#'))) {
      const name = /^(gt_[a-z_]+?)(?:_bucket|_sum|_count)?(?:\{[^{}]*\})? -?[0-9.e+-]+$/.exec(line)?.[1];
      expect(name, line).toBeDefined();
      expect(text).toContain(`# HELP ${name ?? ''} `);
      expect(text).toMatch(new RegExp(`# TYPE ${name ?? ''} (?:gauge|counter|histogram)`, 'u'));
    }
  });

  it('are those that the documentation names', () => {
    const page = readFileSync(new URL('../../docs/observability.md', import.meta.url), 'utf8');
    const table = page.slice(page.indexOf('| name | says |'), page.indexOf('Worth an alarm'));
    const named = [...table.matchAll(/`(gt_[a-z_]+)`/g)].map(([, name]) => name);
    const told = [...text.matchAll(/^# TYPE (gt_[a-z_]+) /gm)].map(([, name]) => name);
    expect(new Set(named)).toEqual(new Set(told));
  });

  it('count what is, and never name a bead or an agent', () => {
    for (const line of [
      'gt_beads{rig="app__",status="open"} 3',
      'gt_rig_up{rig="app__",status="parked"} 0',
      'gt_stopped_trains{rig="app__"} 1',
      'gt_convoys{status="active"} 2',
      'gt_attention{severity="high"} 2',
      'gt_health_up{subject="runner"} 0',
      'gt_stream_readers 7',
    ])
      expect(lines).toContain(line);
  });

  it('tell how long turns took, as sums that only grow', () => {
    expect(lines.filter((line) => line.startsWith('gt_turn_seconds'))).toEqual([
      'gt_turn_seconds_bucket{le="0.0005"} 1',
      'gt_turn_seconds_bucket{le="0.001"} 1',
      'gt_turn_seconds_bucket{le="0.0025"} 1',
      ...['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5'].map(
        (bound) => `gt_turn_seconds_bucket{le="${bound}"} 3`,
      ),
      'gt_turn_seconds_bucket{le="+Inf"} 4',
      'gt_turn_seconds_sum 5.0064',
      'gt_turn_seconds_count 4',
    ]);
  });
});
