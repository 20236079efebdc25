import { createHash } from 'node:crypto';

import { z } from 'zod';

import type { Item } from './conversation.ts';

export interface Fault {
  /**
   * `status`: an error with this status and headers. `hang`: no answer at all. `cut`: a first part, then the connection
   * breaks. `malformed`: a first part, then what no parser takes.
   */
  readonly kind: 'status' | 'hang' | 'cut' | 'malformed';
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly message?: string | undefined;
  /** How often, before the step is answered after all; missing: always. */
  readonly times?: number | undefined;
}

export interface Step {
  readonly say?: string | undefined;
  readonly shell?: string | undefined;
  readonly write?: { readonly path: string; readonly text: string } | undefined;
  /** One of our own tools, by its name without what a program puts before it. */
  readonly tool?: { readonly name: string; readonly args: Readonly<Record<string, unknown>> } | undefined;
  /** Some programs ask a person only where their model says that it must step out of the sandbox. */
  readonly escalate?: boolean | undefined;
  /** Left out when the conversation was begun by an earlier process. */
  readonly first?: boolean | undefined;
  readonly fault?: Fault | undefined;
}

export interface Scenario {
  readonly steps: readonly Step[];
}

const fault: z.ZodType<Fault> = z.strictObject({
  kind: z.enum(['status', 'hang', 'cut', 'malformed']),
  status: z.number().int().min(400).max(599).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  message: z.string().max(2_000).optional(),
  times: z.number().int().min(1).max(1_000).optional(),
});
const step: z.ZodType<Step> = z.strictObject({
  say: z.string().max(10_000).optional(),
  shell: z.string().max(10_000).optional(),
  write: z.strictObject({ path: z.string().min(1).max(500), text: z.string().max(10_000) }).optional(),
  tool: z.strictObject({ name: z.string().min(1).max(100), args: z.record(z.string(), z.unknown()) }).optional(),
  escalate: z.boolean().optional(),
  first: z.boolean().optional(),
  fault: fault.optional(),
});
const scenarioSchema: z.ZodType<Scenario> = z.strictObject({ steps: z.array(step).min(1).max(100) });

/** What begins the line in a prompt that tells the model what to do. */
const MARKER = 'scripted-model:';

/** The line for a bead's text that makes a scripted model do these steps. */
export const scenarioLine = (scenario: Scenario): string => `${MARKER} ${JSON.stringify(scenario)}`;

export interface Place {
  readonly step: Step | null;
  /** The same for the same step of the same order, also when it is asked again. */
  readonly key: string;
  /** Orders in the conversation: more than one when a session was resumed. */
  readonly orders: number;
}

/**
 * Where a conversation is in its script. Nothing is remembered: the order is the newest marker, and the step is what was
 * done after it, so that retries, resumed sessions and any number of agents at once need no bookkeeping.
 */
export function findPlace(all: readonly Item[]): Place {
  const items = joined(all);
  const orders = items.flatMap((item, index) => (item.role === 'user' && lineOf(item.text) !== null ? [index] : []));
  const at = orders.at(-1);
  const line = at === undefined ? null : lineOf(items[at]?.text ?? '');
  if (at === undefined || line === null) return { step: null, key: '', orders: 0 };
  const done = items
    .slice(at + 1)
    .filter((item) => item.role === 'tool' || (item.role === 'assistant' && item.calls === 0)).length;
  const steps = parse(line).steps.filter((each) => each.first !== true || orders.length === 1);
  const key = `${createHash('sha256').update(line).digest('hex').slice(0, 16)}:${String(orders.length)}:${String(done)}`;
  return { step: steps[done] ?? { say: 'The script has no more steps.' }, key, orders: orders.length };
}

/** One reply may be several items: its words, its call, and the part that came before its connection broke. */
function joined(all: readonly Item[]): readonly Item[] {
  const out: Item[] = [];
  for (const item of all) {
    const last = out.at(-1);
    if (item.role !== 'assistant' || last?.role !== 'assistant') out.push(item);
    else out.splice(-1, 1, { role: 'assistant', text: last.text, calls: last.calls + item.calls });
  }
  return out;
}

function lineOf(words: string): string | null {
  const found = words.split('\n').filter((line) => line.trimStart().startsWith(MARKER));
  return found.at(-1)?.trim().slice(MARKER.length) ?? null;
}

/** A script that can't be read is said by the model, where its author sees it. */
function parse(line: string): Scenario {
  try {
    return scenarioSchema.parse(JSON.parse(line));
  } catch (error) {
    return { steps: [{ say: `The script can't be read: ${error instanceof Error ? error.message : String(error)}` }] };
  }
}
