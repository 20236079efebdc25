import { z } from 'zod';

const messageSchema = z.looseObject({
  id: z.union([z.number(), z.string()]).nullish(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.looseObject({ code: z.number(), message: z.string(), data: z.unknown().optional() }).optional(),
});

/** The other side answered with an error. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** "Method not found" of JSON-RPC. */
const NO_SUCH_METHOD = -32_601;
/** Of an error's details that are passed on. */
const DETAIL_CHARS_MAX = 1_000;

export interface RpcPeer {
  send(line: string): void;
  /** A message without an answer. */
  notified(method: string, params: unknown): void;
  /** A call of the other side; it answers later by `reply`. False: there is no such call. */
  called(id: number | string, method: string, params: unknown): boolean;
  /** A line that is no message. */
  odd(line: string): void;
}

/** JSON-RPC 2.0 on lines, in both directions. */
export class JsonRpc {
  readonly #peer: RpcPeer;
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  #calls = 0;

  constructor(peer: RpcPeer) {
    this.#peer = peer;
  }

  /** Errors: `RpcError`. Never settles when the other side never answers: its process ends first. */
  call(method: string, params: unknown): Promise<unknown> {
    this.#calls += 1;
    const id = this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#peer.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  notify(method: string, params: unknown): void {
    this.#peer.send(JSON.stringify({ jsonrpc: '2.0', method, params }));
  }

  reply(id: number | string, result: unknown): void {
    this.#peer.send(JSON.stringify({ jsonrpc: '2.0', id, result }));
  }

  line(text: string): void {
    if (text.trim() === '') return;
    const message = parse(text);
    if (message === null) {
      this.#peer.odd(text);
      return;
    }
    const { id, method } = message;
    if (method !== undefined) {
      if (id === undefined || id === null) this.#peer.notified(method, message.params);
      else if (!this.#peer.called(id, method, message.params)) this.#refuse(id, method);
      return;
    }
    if (typeof id === 'number') this.#settle(id, message);
  }

  #refuse(id: number | string, method: string): void {
    const error = { code: NO_SUCH_METHOD, message: `no method ${method}` };
    this.#peer.send(JSON.stringify({ jsonrpc: '2.0', id, error }));
  }

  #settle(id: number, message: z.infer<typeof messageSchema>): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (message.error === undefined) waiting?.resolve(message.result);
    else {
      const { code, data } = message.error;
      const details = data === undefined ? '' : ` ${JSON.stringify(data).slice(0, DETAIL_CHARS_MAX)}`;
      waiting?.reject(new RpcError(code, `${message.error.message}${details}`));
    }
  }
}

function parse(text: string): z.infer<typeof messageSchema> | null {
  try {
    const parsed = messageSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
