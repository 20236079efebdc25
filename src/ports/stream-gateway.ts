import type { FeedPage } from '../core/queries.ts';

/** Journal rows behind a cursor, as the live stream takes them up. */
export interface StreamPage extends FeedPage {
  /** Some of what lay behind the cursor was put away, or the cursor is of another history: the rows are no whole answer. */
  readonly isGap: boolean;
  /** The page is full: there may be more. */
  readonly isMore: boolean;
}

/** What the live stream needs of a town. Cursors are those of the feed. */
export interface StreamGateway {
  /** The cursor behind everything that is recorded now. */
  now(): Promise<string>;
  /**
   * At most `limit` rows behind a cursor, in order per actor; `actors`: only of these, by address.
   * Errors: `bad_cursor`.
   */
  after(cursor: string, limit: number, actors?: readonly string[]): Promise<StreamPage>;
}
