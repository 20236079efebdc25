import { FORMER_TIPS_MAX } from '../core/limits.ts';
import type { Sql } from '../ports/sql.ts';
import { parseJson, text } from './rows.ts';

interface Tips {
  readonly tip: string;
  readonly former: readonly string[];
}

function read(sql: Sql, target: string): Tips | null {
  const row = sql.all('SELECT tip, former FROM target_tips WHERE target = ?', target)[0];
  return row === undefined
    ? null
    : { tip: text(row['tip']), former: parseJson<readonly string[]>(text(row['former'])) };
}

/** What a target was seen at: last, then the tips that rewrites left behind, the newest first. */
export function readTips(sql: Sql, target: string): readonly string[] {
  const tips = read(sql, target);
  return tips === null ? [] : [tips.tip, ...tips.former];
}

function write(sql: Sql, target: string, { tip, former }: Tips): void {
  sql.all(
    `INSERT INTO target_tips (target, tip, former) VALUES (?, ?, ?)
      ON CONFLICT (target) DO UPDATE SET tip = excluded.tip, former = excluded.former`,
    target,
    tip,
    JSON.stringify(former),
  );
}

export function sawTip(sql: Sql, target: string, tip: string): void {
  const known = read(sql, target);
  if (known?.tip !== tip) write(sql, target, { tip, former: known?.former ?? [] });
}

/** The target was rewritten: it does not contain `from` any more. */
export function leaveTip(sql: Sql, target: string, { from, to }: { readonly from: string; readonly to: string }): void {
  const others = (read(sql, target)?.former ?? []).filter((tip) => tip !== from && tip !== to);
  write(sql, target, { tip: to, former: [from, ...others].slice(0, FORMER_TIPS_MAX) });
}
