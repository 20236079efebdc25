import { NO_CAPS, type RigConfig } from './commands.ts';
import type { Bead } from './model/bead.ts';

/** What a bead would run with now. */
export interface Engine {
  readonly runtime: string;
  readonly model: string | null;
  readonly account: string;
  /** `<account>/<model>`: what a provider's limit is about. */
  readonly quotaScope: string;
}

/** Model names are free text, so the account comes first and can't hold the separator. */
export const quotaScope = (account: string, model: string | null): string => `${account}/${model ?? 'default'}`;

export function engineOf(bead: Pick<Bead, 'runtime' | 'model'>, config: RigConfig): Engine {
  const runtime = bead.runtime ?? config.runtime;
  const model = bead.model ?? config.model;
  const account = (config.caps ?? NO_CAPS).account ?? runtime;
  return { runtime, model, account, quotaScope: quotaScope(account, model) };
}

export function quotaParts(scope: string): { readonly account: string; readonly model: string } {
  const slash = scope.indexOf('/');
  return { account: scope.slice(0, slash), model: scope.slice(slash + 1) };
}
