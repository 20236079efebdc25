export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Constant text plus fields; never user text, never secrets. */
export interface Log {
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
}

export const silentLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
