import type { Context, MiddlewareHandler } from 'hono';
import type { Clock } from '../ports/clock.ts';
import type { AppEnv } from './auth.ts';

/** What every dashboard shows, and asks for again after each change: the same for all who may read. */
const SHARED: ReadonlySet<string> = new Set([
  'agents',
  'attention',
  'budgets',
  'convoys',
  'costs',
  'escalations',
  'mq',
  'quota',
  'rigs',
  'status',
]);

/** What says nothing to a journal, such as whether a runner answers, is looked at again after this long. */
const SHARED_MS = 1_000;
/** Different questions (rigs, pages, days) that are kept for one state of the town. */
const KEPT_MAX = 100;
/** `/api/v1/towns/<town>/` before what is asked for. */
const TOWN_PARTS = 5;

interface Kept {
  readonly text: string;
  readonly type: string;
}

interface Asked {
  readonly atMs: number;
  readonly answer: Promise<Kept | null>;
}

/**
 * A question that was answered since the last turn of any actor has the same answer, so it is computed and written as JSON
 * once, however many dashboards ask it at the same moment. `turns` counts the turns: whoever was told of a change gets an
 * answer that has it.
 */
export function sameAnswer(turns: () => number, clock: Clock): MiddlewareHandler<AppEnv> {
  let known: { readonly turn: number; readonly asked: Map<string, Asked> } = { turn: -1, asked: new Map() };
  return async (c, next) => {
    if (c.req.method !== 'GET' || !SHARED.has(c.req.path.split('/').slice(TOWN_PARTS).join('/'))) {
      await next();
      return;
    }
    const turn = turns();
    if (known.turn !== turn || known.asked.size > KEPT_MAX) known = { turn, asked: new Map() };
    const { asked } = known;
    const key = c.req.url;
    const found = asked.get(key);
    const nowMs = clock.now();
    const kept = found !== undefined && nowMs - found.atMs <= SHARED_MS ? await found.answer : null;
    if (kept !== null) {
      c.res = new Response(kept.text, { status: 200, headers: { 'content-type': kept.type } });
      return;
    }
    let resolve: (kept: Kept | null) => void = () => undefined;
    const answer = new Promise<Kept | null>((settle) => {
      resolve = settle;
    });
    asked.set(key, { atMs: nowMs, answer });
    try {
      await next();
      resolve(await keptOf(c));
    } finally {
      // Whoever waits for an answer that did not come asks for itself.
      resolve(null);
    }
  };
}

async function keptOf(c: Context<AppEnv>): Promise<Kept | null> {
  if (c.res.status !== 200) return null;
  return { text: await c.res.clone().text(), type: c.res.headers.get('content-type') ?? 'application/json' };
}
