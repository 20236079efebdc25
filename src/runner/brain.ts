import {
  type ConfirmStart,
  type Fact,
  type Verdict,
  verdictSchema,
  type VerdictRequest,
} from '../api/contract/runner.ts';
import { CONTENT_CODES } from '../api/contract/refusals.ts';
import { z } from 'zod';

import { type BrainAnswer, BrainAway, type BrainWire } from './brain-wire.ts';

/**
 * What the brain made of a batch: `refused` when it will never take this batch as it is, `tooMuch` when who stands before
 * it takes no body of this size.
 */
export type FactsAnswer =
  | { readonly recorded: readonly string[] }
  | { readonly refused: string }
  | { readonly tooMuch: true };

const TOO_MUCH = 413;

const codeSchema = z.object({ code: z.string() });
const recordedSchema = z.object({ recorded: z.array(z.string()) });
const liveSchema = z.object({ live: z.boolean() });

/** The runner's side of the line to the brain, whatever the line is. */
export class Brain {
  readonly #wire: BrainWire;
  readonly #town: string;
  readonly #callMs: number;

  constructor(options: { readonly wire: BrainWire; readonly town: string; readonly callMs: number }) {
    this.#wire = options.wire;
    this.#town = options.town;
    this.#callMs = options.callMs;
  }

  /** Errors: `BrainAway`. */
  async facts(facts: readonly Fact[]): Promise<FactsAnswer> {
    const answer = await this.#post('facts', { facts }, this.#callMs);
    if (isRefused(answer)) return { refused: `${String(answer.status)} ${answer.body.slice(0, 300)}` };
    if (answer.status === TOO_MUCH) return { tooMuch: true };
    return parse(recordedSchema, answer);
  }

  /** Whether the attempt is still the live one. Errors: `BrainAway`. */
  async confirm(start: ConfirmStart): Promise<boolean> {
    return parse(liveSchema, await this.#post('confirm', start, this.#callMs)).live;
  }

  /** Errors: `BrainAway`. */
  async verdict(question: VerdictRequest): Promise<Verdict> {
    return parse(verdictSchema, await this.#post('verdict', question, question.waitMs + this.#callMs));
  }

  /** Passes an agent's call on with the agent's own credential. Errors: `BrainAway`. */
  forward(call: {
    readonly method: string;
    readonly pathAndQuery: string;
    readonly authorization: string;
    readonly body: string;
    readonly idempotencyKey?: string | null;
  }): Promise<BrainAnswer> {
    return this.#wire.call({
      method: call.method,
      path: `/api/v1/towns/${encodeURIComponent(this.#town)}${call.pathAndQuery}`,
      authorization: call.authorization,
      ...(call.body === '' ? {} : { body: call.body }),
      ...(typeof call.idempotencyKey === 'string' ? { idempotencyKey: call.idempotencyKey } : {}),
      timeoutMs: 60_000 + this.#callMs,
    });
  }

  close(): void {
    this.#wire.close();
  }

  #post(verb: string, body: unknown, timeoutMs: number): Promise<BrainAnswer> {
    const path = `/api/v1/towns/${encodeURIComponent(this.#town)}/runner/${verb}`;
    return this.#wire.call({
      method: 'POST',
      path,
      authorization: null,
      body: JSON.stringify(body),
      timeoutMs,
    });
  }
}

/** A fact is set aside only for what it is: all else, such as a town that is held, changes by waiting. */
function isRefused(answer: BrainAnswer): boolean {
  if (answer.status < 400 || answer.status >= 500) return false;
  try {
    const problem = codeSchema.safeParse(JSON.parse(answer.body));
    return problem.success && CONTENT_CODES.has(problem.data.code);
  } catch {
    return false;
  }
}

function parse<T>(schema: z.ZodType<T>, answer: BrainAnswer): T {
  if (answer.status !== 200) throw new BrainAway(`the brain answered ${String(answer.status)}`);
  try {
    return schema.parse(JSON.parse(answer.body));
  } catch (cause) {
    throw new BrainAway('the brain answered something unexpected', { cause });
  }
}
