/** US dollars for a million tokens. `cached` are input tokens that the provider had already. */
export interface Price {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
}

/**
 * List prices of common models, for runtimes that say tokens but no cost. A name fits every model that begins with it; the
 * longest wins. Prices change: what `[prices]` in gastown.toml says is used instead, and a model that is in neither has an
 * unknown cost, never a free one. State of November 2025, without discounts for batches or surcharges for long contexts.
 */
export const LIST_PRICES: Readonly<Record<string, Price>> = {
  'claude-opus-4-5': { input: 5, output: 25, cached: 0.5 },
  'claude-opus-4': { input: 15, output: 75, cached: 1.5 },
  'claude-sonnet-4': { input: 3, output: 15, cached: 0.3 },
  'claude-haiku-4': { input: 1, output: 5, cached: 0.1 },
  'claude-3-5-haiku': { input: 0.8, output: 4, cached: 0.08 },
  'gpt-5': { input: 1.25, output: 10, cached: 0.125 },
  'gpt-5-mini': { input: 0.25, output: 2, cached: 0.025 },
  'gpt-5-nano': { input: 0.05, output: 0.4, cached: 0.005 },
  'gpt-4.1': { input: 2, output: 8, cached: 0.5 },
  'gpt-4.1-mini': { input: 0.4, output: 1.6, cached: 0.1 },
  'gemini-2.5-pro': { input: 1.25, output: 10, cached: 0.125 },
  'gemini-2.5-flash': { input: 0.3, output: 2.5, cached: 0.03 },
};

/** The price of a model, or null when nobody said one. */
export function priceOf(model: string | null, own: Readonly<Record<string, Price>>): Price | null {
  if (model === null) return null;
  return longest(model, own) ?? longest(model, LIST_PRICES);
}

function longest(model: string, prices: Readonly<Record<string, Price>>): Price | null {
  const names = Object.keys(prices).filter((name) => model.startsWith(name));
  const best = names.toSorted((a, b) => b.length - a.length)[0];
  return best === undefined ? null : (prices[best] ?? null);
}
