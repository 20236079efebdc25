import { BEAT_HEADER, SILENCE_MAX_MS } from '../../api/contract/protocol.ts';
import { CALL_TIMEOUT_MS } from '../../api/lines/wire-runner-client.ts';
import { httpTarget, requestTo, type RunnerPlace } from './runner-client.ts';

/**
 * Holds a call to a runner open that ends only with its process, or with `ended`. Over a network also with its silence: a
 * machine without power ends no connection. A runner beside us needs no such signs, and one of an older version gives none.
 */
export function held(
  to: RunnerPlace,
  token: string,
  ended: AbortSignal,
  limits: { readonly answerMs: number; readonly silenceMs: number } = LIMITS,
): Promise<void> {
  return new Promise((resolve) => {
    const isFar = 'url' in to;
    const headers = { authorization: `Bearer ${token}`, host: 'runner', ...(isFar ? { [BEAT_HEADER]: '1' } : {}) };
    let silent: NodeJS.Timeout | null = null;
    const expect = (ms: number | null): void => {
      if (silent !== null) clearTimeout(silent);
      silent = ms === null ? null : setTimeout(() => watch.destroy(new Error('nothing is heard')), ms).unref();
    };
    const over = (): void => {
      expect(null);
      resolve();
    };
    const watch = requestTo(to)(
      { ...httpTarget(to, '/health/watch'), headers, signal: ended, agent: false },
      (answer) => {
        const beats = answer.headers[BEAT_HEADER] !== undefined;
        const heard = (): void => {
          expect(beats ? limits.silenceMs : null);
        };
        heard();
        answer.on('data', heard);
        answer.on('close', over);
        answer.on('error', () => undefined);
      },
    );
    watch.on('error', over);
    if (isFar) expect(limits.answerMs);
    watch.end();
  });
}

const LIMITS = { answerMs: CALL_TIMEOUT_MS, silenceMs: SILENCE_MAX_MS };
