import type { TownStatus } from '../core/queries.ts';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

/** Label values are names of rigs, states and severities, never of beads or agents: their number stays small. */
const labelText = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${value.replaceAll(/[\\"\n]/g, '_')}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
};

const gauge = (name: string, help: string, samples: readonly Sample[]): string =>
  [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...samples.map(([labels, value]) => `${name}${labelText(labels)} ${String(value)}`),
  ].join('\n');

const countBy = <T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
};

/** The town in Prometheus' text format. */
export function metricsOf(status: TownStatus, streamReaders: number): string {
  const { rigs, attention, health } = status;
  const severities = countBy(attention, (item) => item.severity);
  const beads = rigs.flatMap((rig) =>
    Object.entries(rig.counts).map(([state, count]): Sample => [{ rig: rig.id, status: state }, count]),
  );
  const perRig = (value: (rig: TownStatus['rigs'][number]) => number): readonly Sample[] =>
    rigs.map((rig): Sample => [{ rig: rig.id }, value(rig)]);
  const parts = [
    gauge('gt_beads', 'Beads by rig and status.', beads),
    gauge(
      'gt_ready_beads',
      'Beads that could run now.',
      perRig((rig) => rig.readyBeads),
    ),
    gauge(
      'gt_live_attempts',
      'Attempts that run.',
      perRig((rig) => rig.liveAttempts),
    ),
    gauge(
      'gt_merge_queue_length',
      'Merge requests in line.',
      perRig((rig) => rig.queueLength),
    ),
    gauge('gt_working_agents', 'Agents at work.', [[{}, status.workingAgents]]),
    gauge('gt_merged_last_hour', 'Beads merged within the last hour.', [[{}, status.mergedLastHour]]),
    gauge(
      'gt_attention',
      'What needs a person, by severity.',
      [...severities].map(([severity, count]): Sample => [{ severity }, count]),
    ),
    gauge('gt_runner_up', 'Whether the runner beside the daemon answers.', [
      [{}, status.runner.state === 'up' ? 1 : 0],
    ]),
    gauge(
      'gt_health_up',
      'Whether the watchdog got an answer, by subject.',
      health.map((item): Sample => [{ subject: item.subject }, item.state === 'down' ? 0 : 1]),
    ),
    gauge('gt_invariant_violations', 'Invariants that do not hold.', [[{}, status.violations.length]]),
    gauge('gt_stream_readers', 'Open live streams.', [[{}, streamReaders]]),
  ];
  return `${parts.join('\n')}\n`;
}
