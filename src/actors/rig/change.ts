/** What the journal says about one carried-out action; the decision gives the rest. */
export interface Change {
  readonly entity: string;
  readonly from?: string;
  readonly to?: string;
  readonly reason?: string;
}
