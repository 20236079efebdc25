import type { HostPorts } from '../../ports/host.ts';

/** Callers that wait for something to become true in committed state. */
export class Waiters {
  readonly #ports: Pick<HostPorts, 'after'>;
  /** Each answers true once it is served. */
  readonly #waiting = new Set<() => boolean>();

  constructor(ports: Pick<HostPorts, 'after'>) {
    this.#ports = ports;
  }

  /** What `probe` answers now or after a later commit; null when it answered nothing for `timeoutMs`. */
  until<T>(probe: () => T | null, timeoutMs: number): Promise<T | null> {
    const first = probe();
    if (first !== null || timeoutMs <= 0) return Promise.resolve(first);
    return new Promise<T | null>((resolve) => {
      const serve = (): boolean => {
        const value = probe();
        if (value === null) return false;
        cancel();
        resolve(value);
        return true;
      };
      const cancel = this.#ports.after(timeoutMs, () => {
        this.#waiting.delete(serve);
        resolve(null);
      });
      this.#waiting.add(serve);
    });
  }

  /** Looks again on behalf of everybody who waits; called after each commit. */
  check(): void {
    for (const serve of this.#waiting) if (serve()) this.#waiting.delete(serve);
  }
}
