import { createHash } from 'node:crypto';
import type { BeadDetail } from '../../../core/queries.ts';

type Value = string | number;

/** A span as OTLP's JSON has it, with numbers for times. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly isError: boolean;
}

const TRACE_ID_CHARS = 32;
const SPAN_ID_CHARS = 16;

/** From what it names, so that telling it again tells of the same span. */
const idOf = (text: string, chars: number): string => createHash('sha256').update(text).digest('hex').slice(0, chars);

type Found = Readonly<Record<string, Value | null>>;

const known = (found: Found): Readonly<Record<string, Value>> =>
  Object.fromEntries(Object.entries(found).flatMap(([key, value]) => (value === null ? [] : [[key, value]])));

/**
 * The life of a bead that has ended, from sling to merge, as spans. Rework of its branch is in the same trace, below it. Only
 * names, times, counts and commits: nothing that people or agents wrote. Empty for a bead that lives, and for merge requests,
 * whose story is their source's.
 */
export function spansOf(town: string, bead: BeadDetail): readonly Span[] {
  const endMs = bead.closedAtMs;
  if (endMs === null || bead.type !== 'issue') return [];
  const trace = idOf(`${town} ${bead.branchOf ?? bead.id}`, TRACE_ID_CHARS);
  const spanId = (what: string): string => idOf(`${town} ${what}`, SPAN_ID_CHARS);
  const root = spanId(bead.id);
  const span: MakeSpan = (name, key, [from, to], more = {}) => ({
    traceId: trace,
    spanId: spanId(key),
    parentSpanId: root,
    name,
    startMs: from,
    endMs: Math.max(from, to),
    attributes: {},
    isError: false,
    ...more,
  });
  const attempts = bead.attemptList.filter((attempt) => attempt.endedAtMs !== null);
  const first = attempts[0];
  const whole = span('bead', bead.id, [bead.createdAtMs, endMs], {
    spanId: root,
    parentSpanId: bead.branchOf === null ? null : spanId(bead.branchOf),
    isError: bead.status === 'failed',
    attributes: known({
      'gt.bead': bead.id,
      'gt.rig': bead.rig,
      'gt.kind': bead.kind,
      'gt.priority': bead.priority,
      'gt.end': bead.closeReason ?? bead.status,
      'gt.convoy': bead.convoyId,
      'gt.failures': bead.failures,
    }),
  });
  const wait = first === undefined ? [] : [span('sling', `${bead.id} sling`, [bead.createdAtMs, first.startedAtMs])];
  const runs = attempts.flatMap((attempt) => {
    const attemptEndMs = attempt.endedAtMs ?? attempt.startedAtMs;
    const attributes = known({
      'gt.attempt': attempt.id,
      'gt.agent': attempt.agentId,
      'gt.runtime': attempt.runtime,
      'gt.model': attempt.model,
      'gt.runner': attempt.runner,
      'gt.epoch': attempt.epoch,
      'gt.round': attempt.round,
      'gt.outcome': attempt.outcome,
      'gt.exit_code': attempt.exitCode,
    });
    const isError = attempt.outcome !== 'done' && attempt.outcome !== 'no_change';
    const parentSpanId = spanId(attempt.id);
    return [
      span('attempt', attempt.id, [attempt.startedAtMs, attemptEndMs], { attributes, isError }),
      span('dispatch', `${attempt.id} dispatch`, [attempt.startedAtMs, attempt.runningAtMs ?? attemptEndMs], {
        parentSpanId,
        isError: attempt.runningAtMs === null,
      }),
    ];
  });
  return [whole, ...wait, ...runs, ...mergeSpans(bead, endMs, span)];
}

type Times = readonly [fromMs: number, toMs: number];
type MakeSpan = (name: string, key: string, times: Times, more?: Partial<Span>) => Span;

/** From the end of the attempt whose work it was until it stood in line for the last time, and from then to its merge. */
function mergeSpans(bead: BeadDetail, endMs: number, span: MakeSpan): readonly Span[] {
  const { review } = bead;
  if (review === null) return [];
  const doneAtMs = bead.attemptList.findLast((attempt) => attempt.outcome === 'done')?.endedAtMs ?? review.queuedAtMs;
  const attributes = known({
    'gt.merge_request': review.beadId,
    'gt.strategy': review.strategy,
    'gt.rounds': review.rounds,
    'gt.races': review.races,
    'gt.commit': review.mergeSha,
  });
  const fromMs = Math.min(doneAtMs, review.queuedAtMs);
  return [
    span('review', `${bead.id} review`, [fromMs, review.queuedAtMs]),
    span('merge', `${bead.id} merge`, [review.queuedAtMs, endMs], {
      attributes,
      isError: bead.closeReason !== 'merged',
    }),
  ];
}

const attribute = ([key, value]: readonly [string, Value]): object => ({
  key,
  value: typeof value === 'string' ? { stringValue: value } : { intValue: String(value) },
});

const NS_PER_MS = 1_000_000n;
const nanos = (ms: number): string => String(BigInt(Math.round(ms)) * NS_PER_MS);
/** SPAN_KIND_INTERNAL, STATUS_CODE_UNSET and STATUS_CODE_ERROR of the protocol. */
const INTERNAL = 1;
const UNSET = 0;
const ERROR = 2;

/** The body of one `POST /v1/traces` (OTLP/HTTP with JSON). */
export const otlpBody = (town: { readonly id: string; readonly name: string }, spans: readonly Span[]): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: {
          attributes: [
            attribute(['service.name', 'gastown']),
            attribute(['service.namespace', town.name]),
            attribute(['service.instance.id', town.id]),
          ],
        },
        scopeSpans: [
          {
            scope: { name: 'gastown' },
            spans: spans.map((one) => ({
              traceId: one.traceId,
              spanId: one.spanId,
              ...(one.parentSpanId === null ? {} : { parentSpanId: one.parentSpanId }),
              name: one.name,
              kind: INTERNAL,
              startTimeUnixNano: nanos(one.startMs),
              endTimeUnixNano: nanos(one.endMs),
              attributes: Object.entries(one.attributes).map(attribute),
              status: { code: one.isError ? ERROR : UNSET },
            })),
          },
        ],
      },
    ],
  });
