import type { z } from 'zod';
import type { ForgeSite, PullRequest } from '../core/model/pull-request.ts';
import type { ClosePullRequest, MergePullRequest, OpenPullRequest, PullClosed } from '../ports/forge.ts';
import { later } from './answer.ts';
import type { Fetch } from './http.ts';

/** What one call to a code host needs; made anew for each, so that a new token counts at once. */
export interface HostCall {
  readonly site: ForgeSite;
  readonly token: string;
  /** Bounded already; it ends with the deadline of the call. */
  readonly fetch: Fetch;
  readonly nowMs: () => number;
}

/** One code host for the length of one call. Throws `NoAnswer`. */
export interface Host {
  open(request: OpenPullRequest): Promise<PullRequest>;
  /** Null: nothing is new since `tag`. */
  look(number: number, tag: string | null): Promise<PullRequest | null>;
  merge(request: MergePullRequest): Promise<PullRequest>;
  close(request: ClosePullRequest): Promise<PullClosed>;
}

/** Reads what a host answered. An answer of another form is half an answer: nothing is known. */
export function read<T>(schema: z.ZodType<T>, data: unknown, what: string): T {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw later(
    `the host's answer about ${what} can not be read: ${issue?.path.map(String).join('.') ?? ''} ${issue?.message ?? ''}`,
  );
}
