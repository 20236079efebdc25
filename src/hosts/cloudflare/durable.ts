/** The part of a Durable Object's storage and of its namespace that this host uses. */
export type StoredValue = ArrayBuffer | string | number | null;

export interface SqlCursor {
  toArray(): Record<string, StoredValue>[];
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

export interface DurableState {
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
