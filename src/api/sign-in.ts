import type { Role } from './contract/roles.ts';

/** Enough to change windows; a link that lies around is worth nothing. */
const LINK_LIFE_MS = 5 * 60_000;
/** 256 bits: never guessed. */
const CODE_BYTES = 32;
/** A loop that makes links must not fill the memory. */
const LINKS_MAX = 100;

interface Link {
  readonly role: Role;
  readonly expiresAtMs: number;
}

/** Links that sign a browser in, each once. In memory only: a restart makes them worthless, and a new one takes a second. */
export class SignIn {
  readonly #links = new Map<string, Link>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  make(role: Role): { readonly code: string; readonly expiresAtMs: number } {
    this.#forget();
    const bytes = crypto.getRandomValues(new Uint8Array(CODE_BYTES));
    const code = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const expiresAtMs = this.#now() + LINK_LIFE_MS;
    this.#links.set(code, { role, expiresAtMs });
    return { code, expiresAtMs };
  }

  /** The role of a link that was not used yet, which it is from now on; null for any other. */
  use(code: string): Role | null {
    this.#forget();
    const link = this.#links.get(code);
    this.#links.delete(code);
    return link?.role ?? null;
  }

  #forget(): void {
    const nowMs = this.#now();
    for (const [code, { expiresAtMs }] of this.#links) if (expiresAtMs <= nowMs) this.#links.delete(code);
    for (const code of this.#links.keys()) if (this.#links.size >= LINKS_MAX) this.#links.delete(code);
  }
}
