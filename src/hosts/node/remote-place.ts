/** Where a town is that has no folder here, and what opens it. */
export interface RemotePlace {
  readonly url: string;
  readonly token: string;
}
