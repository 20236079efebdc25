import { NO_USAGE, tokensOf, weightOf, type Usage, type Weight } from '../core/usage.ts';
import type { Sql, SqlValue } from '../ports/sql.ts';
import { int, intOrNull, text, textOrNull, usageFromRow } from './rows.ts';

/** Sums of one scope: `rig`, `convoy:<id>` or `bead:<source>`. What is spent holds what is assumed. */
export interface Spending {
  readonly tokens: number;
  readonly microUsd: number;
  readonly reservedTokens: number;
  readonly reservedMicroUsd: number;
}

const NO_SPENDING: Spending = { tokens: 0, microUsd: 0, reservedTokens: 0, reservedMicroUsd: 0 };

/** The scope that holds everything of a rig. */
export const WHOLE_RIG = 'rig';

/** What a dispatch is expected to use. */
export interface Estimate {
  readonly tokens: number;
  readonly microUsd: number;
}

const MONEY_COLUMNS =
  'bead_id, source_bead_id, convoy_id, running_at, ended_at, process_gone, tokens_in, tokens_out, tokens_cached, cost_micro_usd, usage_gap, used_model, estimate_tokens, estimate_micro_usd';

interface Account {
  readonly scopes: readonly string[];
  readonly tokens: Weight;
  readonly money: Weight;
}

/** Keeps the sums beside the attempts: whatever changes what an attempt weighs changes both in one step, or neither. */
export class SpendingStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  of(scope: string): Spending {
    const row = this.#sql.all(
      'SELECT tokens, micro_usd, reserved_tokens, reserved_micro_usd FROM spending WHERE scope = ?',
      scope,
    )[0];
    if (row === undefined) return NO_SPENDING;
    return {
      tokens: int(row['tokens']),
      microUsd: int(row['micro_usd']),
      reservedTokens: int(row['reserved_tokens']),
      reservedMicroUsd: int(row['reserved_micro_usd']),
    };
  }

  /** `work` changes columns of the attempt; the sums follow by the difference. */
  around<T>(attempt: string, work: () => T): T {
    const before = this.#account(attempt);
    const result = work();
    const after = this.#account(attempt);
    if (after === null) return result;
    for (const scope of after.scopes)
      this.#add(scope, {
        tokens: after.tokens.spent - (before?.tokens.spent ?? 0),
        microUsd: after.money.spent - (before?.money.spent ?? 0),
        reservedTokens: after.tokens.reserved - (before?.tokens.reserved ?? 0),
        reservedMicroUsd: after.money.reserved - (before?.money.reserved ?? 0),
      });
    this.#sql.all(
      'UPDATE attempts SET reserved_tokens = ?, reserved_micro_usd = ?, assumed_tokens = ?, assumed_micro_usd = ? WHERE id = ?',
      after.tokens.reserved,
      after.money.reserved,
      after.tokens.assumed,
      after.money.assumed,
      attempt,
    );
    return result;
  }

  #account(attempt: string): Account | null {
    const row = this.#sql.all(`SELECT ${MONEY_COLUMNS} FROM attempts WHERE id = ?`, attempt)[0];
    if (row === undefined) return null;
    const usage = usageFromRow(row);
    const ended = row['ended_at'] !== null;
    const neverRan = ended && row['running_at'] === null && int(row['process_gone']) === 1;
    const state = neverRan ? 'never_ran' : ended ? 'ended' : 'live';
    const convoy = textOrNull(row['convoy_id']);
    return {
      scopes: [WHOLE_RIG, `bead:${text(row['source_bead_id'])}`, ...(convoy === null ? [] : [`convoy:${convoy}`])],
      tokens: weightOf({
        used: tokensOf(usage),
        isComplete: usage.tokensIn !== null,
        estimate: int(row['estimate_tokens']),
        state,
      }),
      money: weightOf({
        used: usage.microUsd,
        isComplete: usage.microUsd !== null && !usage.gap,
        estimate: int(row['estimate_micro_usd']),
        state,
      }),
    };
  }

  #add(scope: string, delta: Spending): void {
    const values: readonly SqlValue[] = [delta.tokens, delta.microUsd, delta.reservedTokens, delta.reservedMicroUsd];
    if (values.every((value) => value === 0)) return;
    this.#sql.all(
      `INSERT INTO spending (scope, tokens, micro_usd, reserved_tokens, reserved_micro_usd) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (scope) DO UPDATE SET tokens = tokens + excluded.tokens, micro_usd = micro_usd + excluded.micro_usd,
          reserved_tokens = reserved_tokens + excluded.reserved_tokens, reserved_micro_usd = reserved_micro_usd + excluded.reserved_micro_usd`,
      scope,
      ...values,
    );
  }

  usage(attempt: string): Usage {
    const row = this.#sql.all(`SELECT ${MONEY_COLUMNS} FROM attempts WHERE id = ?`, attempt)[0];
    return row === undefined ? NO_USAGE : usageFromRow(row);
  }

  average(of: { readonly runtime: string; readonly model: string | null; readonly kind: string }): {
    readonly samples: number;
    readonly tokens: number | null;
    readonly microUsd: number | null;
  } {
    const row = this.#sql.all(
      'SELECT samples, tokens, micro_usd FROM usage_averages WHERE runtime = ? AND model = ? AND kind = ?',
      of.runtime,
      of.model ?? '',
      of.kind,
    )[0];
    if (row === undefined) return { samples: 0, tokens: null, microUsd: null };
    return { samples: int(row['samples']), tokens: intOrNull(row['tokens']), microUsd: intOrNull(row['micro_usd']) };
  }

  /** One more attempt whose use is known; older ones count less and less. */
  learn(
    of: { readonly runtime: string; readonly model: string | null; readonly kind: string },
    usage: Usage,
    samplesMax: number,
  ): void {
    const before = this.average(of);
    const samples = Math.min(before.samples + 1, samplesMax);
    const mean = (old: number | null, now: number | null): number | null =>
      now === null ? old : old === null ? now : Math.round(old + (now - old) / samples);
    this.#sql.all(
      `INSERT INTO usage_averages (runtime, model, kind, samples, tokens, micro_usd) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (runtime, model, kind) DO UPDATE SET samples = excluded.samples, tokens = excluded.tokens, micro_usd = excluded.micro_usd`,
      of.runtime,
      of.model ?? '',
      of.kind,
      samples,
      mean(before.tokens, tokensOf(usage)),
      mean(before.microUsd, usage.gap ? null : usage.microUsd),
    );
  }
}
