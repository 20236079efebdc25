import { z } from 'zod';

import type { UsageOfModel } from '../../core/facts.ts';
import { MICRO_USD } from '../../core/usage.ts';
import type { FormerSession } from './session.ts';

const count = z.number().nonnegative().catch(0).transform(Math.round);
const usageSchema = z.looseObject({
  inputTokens: count,
  outputTokens: count,
  cachedReadTokens: count,
  cachedWriteTokens: count,
  thoughtTokens: count,
  totalTokens: count,
});
type Said = z.infer<typeof usageSchema>;
/** Codex and Gemini CLI name the model that they used here, the latter with all that it counts. */
const modelSchema = z.looseObject({
  model: z.string(),
  token_count: z.looseObject({ input_tokens: count, output_tokens: count }).optional().catch(undefined),
});
type Counted = z.infer<typeof modelSchema>['token_count'];
const resultSchema = z.looseObject({
  usage: z.unknown().optional(),
  _meta: z
    .looseObject({
      quota: z.looseObject({ model_usage: z.array(modelSchema).optional() }).optional(),
    })
    .nullish()
    .catch(null),
});
/** Qwen Code counts with each reply of its model, and not at the end of the turn. */
const replySchema = z.looseObject({ _meta: z.looseObject({ usage: usageSchema }) });
const costSchema = z.looseObject({
  cost: z.looseObject({ amount: z.number().nonnegative(), currency: z.string() }).nullish(),
});

interface Tokens {
  readonly in: number;
  readonly out: number;
  readonly cached: number;
}
const NO_TOKENS: Tokens = { in: 0, out: 0, cached: 0 };

/** What an ACP agent says it used: tokens at the end of each turn, and what the session has cost so far, if it knows. */
export class AcpUsage {
  #model: string | null;
  #tokens = NO_TOKENS;
  /** What the session has cost so far, with all processes before this one. */
  #total: number | null = null;
  /** What of that is not this process's; null: not known yet. */
  #before: number | null;
  /** Tokens whose cost is in `#before`: they are priced by the table. */
  #unpriced = NO_TOKENS;
  /** In the turn that goes on a first cost was named of which the part of former processes is not known. */
  #isBaseTurn = false;
  #turns = 0;
  #hasPrompt = false;
  readonly #former: FormerSession | null;

  constructor(model: string | null, former: FormerSession | null = null) {
    this.#model = model;
    this.#former = former;
    this.#before = former === null ? 0 : former.counted;
  }

  /** What the session has cost so far, all its processes, in millionths of a US dollar; null: it says none. */
  get cost(): number | null {
    return this.#total;
  }

  /** A turn begins: from the first one on this process costs something. */
  prompted(): void {
    this.#hasPrompt = true;
    this.#turns += 1;
  }

  /** What the session itself says that it uses, where nobody asked for a model. */
  named(model: string | null): void {
    this.#model ??= model;
  }

  /** `result`: what the program answered to the prompt; undefined when it failed. */
  turnEnded(result: unknown): void {
    this.#turns -= 1;
    this.#addTurn(result);
    if (this.#isBaseTurn && this.#total === this.#before) this.#unpriced = this.#tokens;
    this.#isBaseTurn = false;
  }

  #addTurn(result: unknown): void {
    const answer = resultSchema.safeParse(result);
    if (!answer.success) return;
    const used = answer.data._meta?.quota?.model_usage ?? [];
    const model = used[0]?.model;
    if (model !== undefined) this.#model = model;
    const said = usageSchema.safeParse(answer.data.usage);
    if (said.success) this.#add(said.data);
    else for (const { token_count: tokens } of used) this.#addCounted(tokens);
  }

  #addCounted(tokens: Counted): void {
    this.#sum({ in: tokens?.input_tokens ?? 0, out: tokens?.output_tokens ?? 0, cached: 0 });
  }

  /** A part of a reply; true: it said what was used. */
  replied(update: unknown): boolean {
    const said = replySchema.safeParse(update);
    if (said.success) this.#add(said.data._meta.usage);
    return said.success;
  }

  #add(said: Said): void {
    const { cachedReadTokens: read, cachedWriteTokens: written } = said;
    const within = isWithin(said);
    this.#sum({
      in: said.inputTokens - (within ? Math.min(read, said.inputTokens) : 0) + (within ? 0 : written),
      out: said.outputTokens + said.thoughtTokens,
      cached: read,
    });
  }

  #sum(more: Tokens): void {
    const { in: tokensIn, out, cached } = this.#tokens;
    this.#tokens = { in: tokensIn + more.in, out: out + more.out, cached: cached + more.cached };
  }

  /**
   * The cost is of the whole session, also of processes before this one; a larger one is the later one. What those were
   * charged is known, so the rest is this one's; less than that in all means that it counts anew. Where it is not known
   * (they were charged by their tokens), the first cost is the baseline, and the tokens of its turn are priced by the table.
   */
  updated(update: unknown): void {
    const said = costSchema.safeParse(update);
    const cost = said.success ? said.data.cost : undefined;
    // A free or unknown model says 0: that is no price.
    if (cost === undefined || cost === null || cost.currency !== 'USD' || cost.amount === 0) return;
    const total = Math.round(cost.amount * MICRO_USD);
    if (this.#former?.counted === null) this.#setBaseline(total);
    else if (this.#hasPrompt && this.#before !== null && total < this.#before) this.#before = 0;
    this.#total = Math.max(this.#total ?? 0, total);
  }

  #setBaseline(total: number): void {
    if (!this.#hasPrompt) this.#before = Math.max(this.#before ?? 0, total);
    if (this.#before !== null) return;
    this.#before = total;
    this.#unpriced = this.#tokens;
    this.#isBaseTurn = this.#turns > 0;
  }

  models(): readonly UsageOfModel[] {
    const cost = this.#total === null ? 0 : Math.max(0, this.#total - (this.#before ?? 0));
    const { in: tokensIn, out: tokensOut, cached: tokensCached } = this.#tokens;
    const priced = cost > 0;
    if (tokensIn + tokensOut + tokensCached === 0 && !priced) return [];
    const rest = priced ? this.#unpriced : this.#tokens;
    return [
      {
        model: this.#model,
        tokensIn,
        tokensOut,
        tokensCached,
        microUsd: priced ? cost : null,
        unpricedIn: rest.in,
        unpricedOut: rest.out,
        unpricedCached: rest.cached,
      },
    ];
  }
}

/** Agents differ in whether cached tokens are part of the input; their own total tells. */
const isWithin = (said: Said): boolean =>
  said.totalTokens > 0 && said.totalTokens <= said.inputTokens + said.outputTokens + said.thoughtTokens;
