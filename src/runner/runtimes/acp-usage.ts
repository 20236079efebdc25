import { z } from 'zod';

import type { UsageOfModel } from '../../core/facts.ts';
import { MICRO_USD } from '../../core/usage.ts';

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

/** What an ACP agent says it used: tokens at the end of each turn, and what the session has cost so far, if it knows. */
export class AcpUsage {
  #model: string | null;
  #in = 0;
  #out = 0;
  #cached = 0;
  /** What the session has cost so far, with all processes before this one. */
  #total: number | null = null;
  /** What those before cost; null: not known yet. */
  #before: number | null;
  #hasPrompt = false;
  readonly #isResumed: boolean;

  constructor(model: string | null, isResumed = false) {
    this.#model = model;
    this.#isResumed = isResumed;
    this.#before = isResumed ? null : 0;
  }

  /** From here on this process costs something; what was said of a former session until now is of those before. */
  prompted(): void {
    this.#hasPrompt = true;
  }

  /** What the session itself says that it uses, where nobody asked for a model. */
  named(model: string | null): void {
    this.#model ??= model;
  }

  turnEnded(result: unknown): void {
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
    this.#in += tokens?.input_tokens ?? 0;
    this.#out += tokens?.output_tokens ?? 0;
  }

  /** A part of a reply; true: it said what was used. */
  replied(update: unknown): boolean {
    const said = replySchema.safeParse(update);
    if (said.success) this.#add(said.data._meta.usage);
    return said.success;
  }

  #add(said: Said): void {
    const { cachedReadTokens: read, cachedWriteTokens: written } = said;
    this.#in += said.inputTokens - (isWithin(said) ? Math.min(read, said.inputTokens) : 0);
    if (!isWithin(said)) this.#in += written;
    this.#out += said.outputTokens + said.thoughtTokens;
    this.#cached += read;
  }

  /**
   * The cost is of the whole session, also of processes before this one; a larger one is the later one. Of a session that
   * was taken up and named no cost before its first prompt, the first one is the baseline: less is said than was used, but
   * nothing is counted twice, and its tokens are priced by the table until a second one comes.
   */
  updated(update: unknown): void {
    const said = costSchema.safeParse(update);
    const cost = said.success ? said.data.cost : undefined;
    // A free or unknown model says 0: that is no price.
    if (cost === undefined || cost === null || cost.currency !== 'USD' || cost.amount === 0) return;
    const total = Math.round(cost.amount * MICRO_USD);
    if (this.#isResumed && (this.#before === null || !this.#hasPrompt))
      this.#before = Math.max(this.#before ?? 0, total);
    this.#total = Math.max(this.#total ?? 0, total);
  }

  models(): readonly UsageOfModel[] {
    const cost = this.#total === null ? 0 : this.#total - (this.#before ?? 0);
    const priced = cost > 0;
    if (this.#in + this.#out + this.#cached === 0 && !priced) return [];
    return [
      {
        model: this.#model,
        tokensIn: this.#in,
        tokensOut: this.#out,
        tokensCached: this.#cached,
        microUsd: priced ? cost : null,
        unpricedIn: priced ? 0 : this.#in,
        unpricedOut: priced ? 0 : this.#out,
        unpricedCached: priced ? 0 : this.#cached,
      },
    ];
  }
}

/** Agents differ in whether cached tokens are part of the input; their own total tells. */
const isWithin = (said: Said): boolean =>
  said.totalTokens > 0 && said.totalTokens <= said.inputTokens + said.outputTokens + said.thoughtTokens;
