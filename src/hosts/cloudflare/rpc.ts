import type { Envelope, Receipt } from '../../actors/kernel/envelope.ts';
import { TownError, type ErrorKind } from '../../core/errors.ts';

/** What a call between objects comes to. An error class does not survive the way, so errors travel as data. */
export type Answer = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: WireError };

interface WireError {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly message: string;
  readonly next: string;
  readonly field: string | undefined;
}

/** What other objects and the Worker may call. */
export interface ActorStub {
  call(path: readonly string[], args: readonly unknown[]): Promise<Answer>;
  receive(envelope: Envelope): Promise<Receipt>;
  transfer(verb: string, args: readonly unknown[]): Promise<Answer>;
  /** Somebody reads the live stream: changes are told to it. */
  watch(): Promise<void>;
}

/** What the objects of a town's actors call. */
export interface StreamStub {
  fetch(request: Request): Promise<Response>;
  /** An actor recorded something. False: nobody reads, say no more. */
  changed(address: string): Promise<boolean>;
  /** There may be actors that nobody watches yet. */
  look(): Promise<void>;
}

/** Says a method of another object by its path (`['queries', 'detail']`) with plain arguments. */
export type Ask = (path: readonly string[], args: readonly unknown[]) => Promise<Answer>;

/** Members of members at most so deep are asked for. */
const PATH_DEPTH_MAX = 3;

/** Runs what was asked on `target`. Only its own methods and those of its parts; never throws. */
export async function answer(target: object, path: readonly string[], args: readonly unknown[]): Promise<Answer> {
  try {
    const { owner, method } = find(target, path);
    return { ok: true, value: await Reflect.apply(method, owner, args) };
  } catch (error) {
    return refusal(error);
  }
}

type Method = (...args: readonly unknown[]) => unknown;

function find(target: object, path: readonly string[]): { readonly owner: object; readonly method: Method } {
  let owner = target;
  for (const [index, name] of path.entries()) {
    const value: unknown = name === 'constructor' || name.startsWith('_') ? undefined : Reflect.get(owner, name);
    const isLast = index === path.length - 1;
    if (isLast && isMethod(value)) return { owner, method: value };
    if (isLast || typeof value !== 'object' || value === null || index >= PATH_DEPTH_MAX) break;
    owner = value;
  }
  throw new TypeError(`there is no method ${path.join('.').slice(0, 100)}`);
}

const isMethod = (value: unknown): value is Method => typeof value === 'function';

/** An error as an answer. */
export const refusal = (error: unknown): Answer => ({ ok: false, error: toWire(error) });

function toWire(error: unknown): WireError {
  if (error instanceof TownError) {
    const { kind, code, message, next, field } = error;
    return { kind, code, message, next, field };
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { kind: 'internal', code: 'internal', message, next: 'Look into the log of the town.', field: undefined };
}

/**
 * An object far away as something to call like one that is here: `remote.queries.detail(id)`. `fixed` are members that
 * are known without asking.
 */
export function remote<T extends object>(ask: Ask, fixed?: Readonly<Record<string, unknown>>): T;
export function remote(ask: Ask, fixed: Readonly<Record<string, unknown>> = {}): object {
  return part(ask, [], fixed);
}

function part(ask: Ask, path: readonly string[], fixed: Readonly<Record<string, unknown>>): object {
  const call = (...args: readonly unknown[]): Promise<unknown> => said(ask, path, args);
  const parts = new Map<string, unknown>(Object.entries(fixed));
  return new Proxy(call, {
    get: (_, name): unknown => {
      // Whoever awaits this must not take it for a promise.
      if (typeof name !== 'string' || name === 'then') return undefined;
      if (!parts.has(name)) parts.set(name, part(ask, [...path, name], {}));
      return parts.get(name);
    },
  });
}

async function said(ask: Ask, path: readonly string[], args: readonly unknown[]): Promise<unknown> {
  let result: Answer;
  try {
    result = await ask(path, args);
  } catch (error) {
    throw unreachable(error);
  }
  if (result.ok) return result.value;
  const { kind, code, message, next, field } = result.error;
  throw new TownError(kind, code, { message, next }, { field });
}

/** The platform could not reach the object, or it was reset: it may have done what was asked. */
function unreachable(cause: unknown): TownError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new TownError(
    'busy',
    'object_unreachable',
    { message: `A part of the town does not answer now: ${what}.`, next: 'Try again, with the same key.' },
    { cause },
  );
}
