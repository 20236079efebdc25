import { MAYOR_TRIES_MAX } from '../src/core/limits.ts';
import type { SimDatabase } from './faulty-sql.ts';
import { Violation } from './ledger.ts';

/** Answers to idempotency keys are kept for a day; who repeats himself later orders anew. */
const KEY_LIFE_MS = 20 * 3_600_000;

interface Span {
  readonly fromMs: number;
  toMs: number;
}

/** The truth about the conversation with the mayor, outside of its own database (L18). */
export class MayorLedger {
  checks = 0;
  /** Messages that people were told to be taken: text to number. */
  readonly #taken = new Map<string, number>();
  /** When a message was said first and last: a repeat is the same one while its key lives. */
  readonly #said = new Map<string, Span>();
  readonly #shown = new Map<number, number>();
  readonly #replies = new Map<number, string>();
  /** Orders of the mayor by title, made once per sitting however many of its sessions make them. */
  readonly #orders = new Map<string, Span>();

  #must(holds: boolean, sentence: () => string): void {
    this.checks += 1;
    if (!holds) throw new Violation('L18', sentence());
  }

  says(text: string, wallMs: number): void {
    note(this.#said, text, wallMs);
  }

  taken(text: string, seq: number): void {
    const known = this.#taken.get(text) ?? seq;
    this.#must(
      known === seq || isLong(this.#said.get(text)),
      () => `"${text}" was taken as ${String(known)} and as ${String(seq)}`,
    );
    this.#taken.set(text, seq);
  }

  /** A session of this sitting has these messages in its prompt. */
  shown(sitting: number, seqs: readonly number[]): void {
    for (const seq of seqs) {
      const known = this.#shown.get(seq) ?? sitting;
      this.#must(
        known === sitting,
        () => `message ${String(seq)} was given to the sittings ${String(known)} and ${String(sitting)}`,
      );
      this.#must(!this.#replies.has(seq), () => `message ${String(seq)} was given out again after its answer`);
      this.#shown.set(seq, sitting);
    }
  }

  /** The mayor was told that `recorded` is its answer, having said `said`. */
  replied(seq: number, recorded: string, said: string): void {
    this.#must(recorded === said, () => `message ${String(seq)} was answered "${said}" and has "${recorded}"`);
    this.#replies.set(seq, said);
  }

  ordered(title: string, wallMs: number): void {
    note(this.#orders, title, wallMs);
  }

  /** At rest: nothing lost, nothing doubled, nothing left lying. */
  check(mayor: SimDatabase | undefined, town: SimDatabase, rigs: readonly SimDatabase[]): void {
    if (mayor === undefined) return;
    const rows = mayor.sql.all('SELECT seq, text, state, reply, sitting FROM messages ORDER BY seq');
    const texts = new Map<string, number>();
    for (const row of rows) texts.set(String(row['text']), (texts.get(String(row['text'])) ?? 0) + 1);
    for (const [text, seq] of this.#taken)
      this.#must(
        rows.find((row) => row['seq'] === seq)?.['text'] === text,
        () => `"${text}" was taken as ${String(seq)} and is not there`,
      );
    for (const [text, count] of texts)
      this.#must(count === 1 || isLong(this.#said.get(text)), () => `"${text}" is there ${String(count)} times`);
    for (const [seq, reply] of this.#replies)
      this.#must(
        rows.find((row) => row['seq'] === seq)?.['reply'] === reply,
        () => `the answer to message ${String(seq)} is gone`,
      );
    this.#settled(mayor);
    this.#once(town, 'convoys', '1 = 1');
    for (const rig of rigs) this.#once(rig, 'beads', 'reopens IS NULL AND convoy_id IS NULL');
  }

  #settled({ sql }: SimDatabase): void {
    const [wish] = sql.all('SELECT wish FROM session');
    const [left] = sql.all(`SELECT seq, state FROM messages WHERE state IN ('waiting', 'shown') LIMIT 1`);
    this.#must(
      left === undefined || wish?.['wish'] === 'stopped',
      () => `message ${String(left?.['seq'])} is ${String(left?.['state'])} for ever`,
    );
    const [early] = sql.all(
      `SELECT seq, failures FROM messages JOIN sittings ON number = sitting WHERE state = 'unanswered' AND failures < ? LIMIT 1`,
      MAYOR_TRIES_MAX,
    );
    this.#must(
      early === undefined,
      () => `message ${String(early?.['seq'])} was given up after ${String(early?.['failures'])} tries`,
    );
    const [live] = sql.all('SELECT id FROM attempts WHERE ended_at IS NULL OR process_gone = 0 LIMIT 1');
    this.#must(live === undefined, () => `the session ${String(live?.['id'])} of the mayor never ended`);
  }

  #once({ sql, address }: SimDatabase, table: 'convoys' | 'beads', which: string): void {
    for (const [title, span] of this.#orders) {
      if (isLong(span)) continue;
      const rows = sql.all(`SELECT id FROM ${table} WHERE title = ? AND ${which}`, title);
      this.#must(rows.length <= 1, () => `"${title}" is there ${String(rows.length)} times in ${address}`);
    }
  }
}

const isLong = (span: Span | undefined): boolean => span !== undefined && span.toMs - span.fromMs > KEY_LIFE_MS;

function note(spans: Map<string, Span>, key: string, wallMs: number): void {
  const known = spans.get(key);
  if (known === undefined) spans.set(key, { fromMs: wallMs, toMs: wallMs });
  else known.toMs = Math.max(known.toMs, wallMs);
}
