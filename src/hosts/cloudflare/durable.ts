declare global {
  /** Both ends of a connection: the first goes into the answer, the second stays here. */
  class WebSocketPair {
    readonly 0: unknown;
    readonly 1: DurableSocket;
  }

  class WebSocketRequestResponsePair {
    constructor(request: string, response: string);
  }

  interface ResponseInit {
    /** With status 101. */
    readonly webSocket?: unknown;
  }
}

/** The part of a Durable Object's storage and of its namespace that this host uses. */
export type StoredValue = ArrayBuffer | string | number | null;

export interface SqlCursor {
  toArray(): Record<string, StoredValue>[];
  /** What the platform bills, indexes included; known when the rows were taken. */
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

/** `ctx.storage.sql`: one statement per call here, drained at once. */
export interface DurableSql {
  exec(text: string, ...args: readonly (StoredValue | Uint8Array)[]): SqlCursor;
  readonly databaseSize: number;
}

export interface DurableStorage {
  readonly sql: DurableSql;
  /** Small values that are no part of the actor's state, synchronously. */
  readonly kv: { get(key: string): unknown; put(key: string, value: unknown): void };
  /** Atomic; nests; a throw rolls its part back, alarms that were set in it too. */
  transactionSync<T>(work: () => T): T;
  getAlarm(): Promise<number | null>;
  setAlarm(atMs: number): Promise<void>;
  deleteAlarm(): Promise<void>;
  /** Resolves when everything written so far is on disk. */
  sync(): Promise<void>;
}

/** A WebSocket that stays while its object is put away, with what was attached to it. */
export interface DurableSocket {
  /** 1 while it is open. */
  readonly readyState: number;
  send(text: string): void;
  close(code: number, reason: string): void;
  /** At most 2,048 bytes, kept as long as the connection. */
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

/** The sockets of an object. */
export interface DurableSockets {
  acceptWebSocket(socket: DurableSocket, tags: readonly string[]): void;
  getWebSockets(tag?: string): readonly DurableSocket[];
  /** A text that the host answers by itself, without waking the object. */
  setWebSocketAutoResponse(pair: WebSocketRequestResponsePair): void;
  /** When it did so last; null: never. */
  getWebSocketAutoResponseTimestamp(socket: DurableSocket): Date | null;
}

export interface DurableState extends DurableSockets {
  readonly id: { readonly name?: string };
  readonly storage: DurableStorage;
  /** Ends this life of the object at once; the next call makes it anew. */
  abort(reason?: string): void;
  /** Holds every other call back until `work` has ended; a throw resets the object. */
  blockConcurrencyWhile<T>(work: () => Promise<T>): Promise<T>;
}

/** A class of objects, found by name: one name is one object in the whole world. */
export interface DurableNamespace<Stub> {
  getByName(name: string): Stub;
}
