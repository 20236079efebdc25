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

const counter = (name: string, help: string, value: number): string =>
  [`# HELP ${name} ${help}`, `# TYPE ${name} counter`, `${name} ${String(value)}`].join('\n');

const histogram = (name: string, help: string, { buckets, sum, count }: HistogramFigures): string =>
  [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} histogram`,
    ...buckets.map(([bound, below]) => `${name}_bucket{le="${String(bound)}"} ${String(below)}`),
    `${name}_bucket{le="+Inf"} ${String(count)}`,
    `${name}_sum ${String(sum)}`,
    `${name}_count ${String(count)}`,
  ].join('\n');

const countBy = <T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
};

/** Per upper bound in seconds how many were no longer; the sum in seconds. */
export interface HistogramFigures {
  readonly buckets: readonly (readonly [bound: number, below: number])[];
  readonly sum: number;
  readonly count: number;
}

/** What the process that serves knows of itself. */
export interface ProcessFigures {
  readonly streamReaders: number;
  /** Readers that left too much unread and were cut; they come again. */
  readonly slowReaders: number;
  /** Spans that an OpenTelemetry receiver took, and that none took. */
  readonly spansSent: number;
  readonly spansDropped: number;
  /** How long turns of actors took, with their commit. */
  readonly turns: HistogramFigures;
  /** How long an actor that was woken waited for its turn: what else the process was busy with. */
  readonly turnWaits: HistogramFigures;
  readonly startedAtMs: number;
  readonly residentBytes: number;
  readonly cpuSeconds: number;
}

const MS_PER_SECOND = 1_000;

/** The town in Prometheus' text format. */
export const metricsOf = (status: TownStatus, figures: ProcessFigures): string =>
  `${[...townParts(status), ...processParts(figures)].join('\n')}\n`;

const processParts = (figures: ProcessFigures): readonly string[] => [
  gauge('gt_stream_readers', 'Open live streams.', [[{}, figures.streamReaders]]),
  counter(
    'gt_stream_slow_readers_total',
    'Readers of the live stream that were cut for being slow.',
    figures.slowReaders,
  ),
  histogram('gt_turn_seconds', 'Time of a turn of an actor, with its commit.', figures.turns),
  histogram('gt_turn_wait_seconds', 'Time from waking an actor to its turn.', figures.turnWaits),
  counter('gt_spans_sent_total', 'Spans that the OpenTelemetry receiver took.', figures.spansSent),
  counter('gt_spans_dropped_total', 'Spans that could not be kept or were refused.', figures.spansDropped),
  gauge('gt_start_time_seconds', 'Start of the daemon, in seconds since 1970.', [
    [{}, figures.startedAtMs / MS_PER_SECOND],
  ]),
  gauge('gt_resident_memory_bytes', 'Memory of the daemon.', [[{}, figures.residentBytes]]),
  counter('gt_cpu_seconds_total', 'Processor time of the daemon.', figures.cpuSeconds),
];

function townParts(status: TownStatus): readonly string[] {
  const { rigs, attention, health, convoys } = status;
  const severities = countBy(attention, (item) => item.severity);
  const beads = rigs.flatMap((rig) =>
    Object.entries(rig.counts).map(([state, count]): Sample => [{ rig: rig.id, status: state }, count]),
  );
  const perRig = (value: (rig: TownStatus['rigs'][number]) => number): readonly Sample[] =>
    rigs.map((rig): Sample => [{ rig: rig.id }, value(rig)]);
  return [
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
    gauge(
      'gt_rig_up',
      'Whether a rig takes work, with what it says of itself.',
      rigs.map((rig): Sample => [{ rig: rig.id, status: rig.status }, rig.status === 'ready' ? 1 : 0]),
    ),
    gauge(
      'gt_stopped_trains',
      'Merge trains that are paused or red.',
      perRig((rig) => rig.stoppedTrains.length),
    ),
    gauge(
      'gt_agents_max',
      'Agents that may run at once.',
      perRig((rig) => rig.polecatsMax),
    ),
    gauge(
      'gt_convoys',
      'Convoys by status.',
      [...countBy(convoys, (convoy) => convoy.status)].map(([state, count]): Sample => [{ status: state }, count]),
    ),
  ];
}
