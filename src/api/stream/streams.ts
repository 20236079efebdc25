import type { Context } from 'hono';
import type { AppEnv } from '../auth.ts';
import type { StreamFilter } from './filter.ts';

/** How a host keeps a connection open: server-sent events, or a WebSocket that may hibernate. */
export interface Streams {
  deltas(c: Context<AppEnv>, order: StreamOrder): Response | Promise<Response>;
  output(c: Context<AppEnv>, order: OutputOrder): Response | Promise<Response>;
}

export interface StreamOrder {
  readonly filter: StreamFilter;
  /** Null: from now on. */
  readonly cursor: string | null;
}

export interface OutputOrder {
  readonly attempt: string;
  /** Byte offset. */
  readonly from: number;
  /** What is stored from a byte on; waits for more while the attempt lives. */
  readonly read: (from: number) => Promise<{ readonly text: string; readonly nextOffset: number }>;
  readonly isLive: () => Promise<boolean>;
}
