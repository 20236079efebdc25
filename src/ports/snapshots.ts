/** Where copies of an actor's database are kept, so that turns recorded since one of them can be run again. */
export interface Snapshots {
  /**
   * Copies the database of `actor`, whose newest recorded turn is `turn`; `turnsSince` turns were recorded since the last
   * copy. Answers the turn of the oldest copy that is kept, or null when it is not worth a copy yet.
   */
  take(actor: string, turn: number, turnsSince: number): Promise<number | null>;
}
