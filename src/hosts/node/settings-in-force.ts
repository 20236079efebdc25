import type { RefusedSettings } from '../../core/refused-settings.ts';
import { TownError } from '../../core/errors.ts';
import type { LogFile } from './log-file.ts';

/** Why these settings are not taken, from the error that says so; null for one that is no error of theirs. */
export const refusedBy = (error: unknown, sinceMs: number | null): RefusedSettings | null =>
  error instanceof TownError ? { message: error.message, next: error.next, sinceMs } : null;

/** Applies the town's file, and keeps in mind that it was refused, so that everybody who asks hears of it until it is mended. */
export class SettingsInForce {
  readonly #apply: () => Promise<void>;
  readonly #log: LogFile;
  readonly #now: () => number;
  #refused: RefusedSettings | null = null;

  constructor(options: { readonly apply: () => Promise<void>; readonly log: LogFile; readonly now: () => number }) {
    this.#apply = options.apply;
    this.#log = options.log;
    this.#now = options.now;
  }

  /** Null: what the file said at the last look is in force. */
  refused(): RefusedSettings | null {
    return this.#refused;
  }

  /** Reads the file and applies it, all or nothing. Errors: those of the file and of the registry. */
  async apply(): Promise<void> {
    try {
      await this.#apply();
      this.#refused = null;
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      const next = 'Look at "gt daemon logs".';
      const since = this.#refused?.sinceMs ?? this.#now();
      this.#refused = refusedBy(error, since) ?? { message: cause, next, sinceMs: since };
      this.#log.error('configuration not reloaded', { cause });
      throw error;
    }
  }
}
