import { httpTarget, requestTo, type RunnerPlace } from './runner-client.ts';

/** Holds a call to a runner open that ends only with its process, or with `ended`. */
export function held(to: RunnerPlace, token: string, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}`, host: 'runner' };
    const watch = requestTo(to)(
      { ...httpTarget(to, '/health/watch'), headers, signal: ended, agent: false },
      (answer) => {
        answer.resume();
        answer.on('close', resolve);
        answer.on('error', () => undefined);
      },
    );
    watch.on('error', () => {
      resolve();
    });
    watch.end();
  });
}
