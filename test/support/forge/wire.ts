/** What all fake code hosts share of their HTTP. */

export const FAKE_TOKEN = 'fake-token-0123456789';
export const FAKE_PROJECT = 'acme/shop';

export interface Asked {
  readonly method: string;
  /** Below the API's address, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly header: (name: string) => string | undefined;
}
