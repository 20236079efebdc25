/** A town that the fuzz speaks to. */
import type { Credential, Document } from './document.ts';
import type { Reply } from './judge.ts';

export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface Side {
  /** True: nothing changes rows but the calls. Else a change may be somebody else's, and the call is tried once more. */
  readonly isAlone: boolean;
  readonly document: () => Promise<Document>;
  readonly send: (request: WireRequest) => Promise<Reply>;
  /** A credential that is good now; null: nobody has one. */
  readonly token: (credential: Credential) => string | null;
  /** The `at`-th thing of a kind that the town has. */
  readonly pick: (kind: string, at: number) => string;
  /** Whether any row is other than when the town was last at rest. */
  readonly changed: () => Promise<boolean>;
  /** Lets what an accepted request brought about happen, and learns what there is now. */
  readonly rest: () => Promise<void>;
  /** Waits until nothing goes on by itself, then counts as at rest. */
  readonly quiet: () => Promise<void>;
  /** Errors: the town ended by itself meanwhile. */
  readonly close: () => Promise<void>;
}

/** What there is of each kind, for `pick`. */
export class Pool {
  #known: ReadonlyMap<string, readonly string[]> = new Map();

  learn(known: Readonly<Record<string, readonly string[]>>): void {
    this.#known = new Map(Object.entries(known));
  }

  pick(kind: string, at: number): string {
    const any = [...this.#known.values()].flat();
    const list = kind === 'any' ? any : (this.#known.get(kind) ?? []);
    return list.length === 0 ? 'none' : (list[at % list.length] ?? 'none');
  }
}

const itemsOf = (value: unknown): readonly Record<string, unknown>[] =>
  typeof value === 'object' && value !== null && 'items' in value && Array.isArray(value.items) ? value.items : [];

/** Asks the town what it has. */
export async function learnPool(
  get: (path: string) => Promise<Reply>,
  attempts: readonly string[],
): Promise<Readonly<Record<string, readonly string[]>>> {
  const list = async (path: string): Promise<readonly string[]> => {
    const reply = await get(`/api/v1/towns/_/${path}`);
    return itemsOf(JSON.parse(reply.text)).map((item) => String(item['id']));
  };
  const [bead, convoy] = [await list('beads?limit=50'), await list('convoys')];
  return {
    rig: ['api', 'web'],
    bead,
    convoy,
    escalation: await list('escalations?all=true'),
    mail: await list('mail?all=true'),
    agent: [...(await list('agents')), 'mayor/', 'human/', 'all'],
    attempt: attempts,
    runner: await list('runners'),
    budget: await list('budgets'),
    message: await list('mayor/messages'),
    scope: [
      'town',
      'rig:api',
      ...bead.slice(0, 5).map((id) => `bead:${id}`),
      ...convoy.slice(0, 3).map((id) => `convoy:${id}`),
    ],
    action: ['cycle', 'restart', 'shutdown'],
    option: ['retry', 'cancel', 'release', 'skip', 'abort'],
    status: ['open', 'in_progress', 'closed'],
    step: ['plan', 'step-1'],
  };
}
