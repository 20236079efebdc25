import type { RunnerContext } from '../context.ts';
import { pause } from '../clock.ts';
import { transcriptFile } from '../paths.ts';
import { readTranscript } from './transcript.ts';

/** Longest wait for the next output in one call: below the 10 s in which every call answers. */
export const OUTPUT_WAIT_MS_MAX = 8_000;
/** A live agent's file is looked at this often while somebody waits for it. */
const LOOK_EVERY_MS = 100;

interface OutputPage {
  readonly text: Buffer;
  readonly next: number;
  /** The attempt has ended here and all of it was read. */
  readonly isEnd: boolean;
}

/** Output of an attempt from a byte on; with nothing there yet, waits for more as long as the agent lives. */
export async function awaitOutput(
  ctx: RunnerContext,
  attempt: string,
  wish: { readonly from: number; readonly waitMs: number; readonly signal?: AbortSignal },
): Promise<OutputPage> {
  const path = transcriptFile(ctx.paths, attempt);
  const until = performance.now() + Math.min(wish.waitMs, OUTPUT_WAIT_MS_MAX);
  for (;;) {
    // Asked before the file is read: what came last must not be taken for missing.
    const isLive = ctx.live.has(attempt);
    const page = await readTranscript(path, wish.from);
    const isDone = page.text.length > 0 || !isLive || performance.now() >= until || wish.signal?.aborted === true;
    if (isDone) return { ...page, isEnd: !isLive && page.text.length === 0 };
    await pause(LOOK_EVERY_MS, wish.signal);
  }
}
