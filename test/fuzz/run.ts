/** Sends requests one after the other and judges every answer. */
import fc from 'fast-check';
import { operationsOf, type Operation } from './document.ts';
import { codeOf, faultOf, isRefusal, type Reply } from './judge.ts';
import { draftOf, type Draft } from './requests.ts';
import type { Side, WireRequest } from './side.ts';
import { POOL_MARK } from './values.ts';

export interface Finding {
  readonly at: number;
  readonly what: string;
  readonly request: WireRequest;
  readonly reply: Reply;
}

export interface Outcome {
  readonly calls: number;
  /** How many were accepted, and how many were refused with which code. */
  readonly byCode: ReadonlyMap<string, number>;
  readonly operations: readonly string[];
  /** Operations that accepted a request. */
  readonly accepted: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

/** After so many there is enough to repair. */
const FINDINGS_MAX = 20;
/**
 * Refusals that several databases had to be asked for: the town records what it asks before it asks. A convoy that a rig
 * refuses stays as failed, with the reason, and no bead is in it; an addition that a rig refuses is taken back whole.
 */
const LEAVES_A_RECORD: ReadonlySet<string> = new Set(['convoy_refused', 'beads_refused']);
/** How often somebody else may have had a commit just then. */
const TRIES = 3;

function fill(text: string, side: Side, isPath: boolean): string {
  return text.replaceAll(POOL_MARK, (_, kind: string, at: string) => {
    const value = side.pick(kind, Number(at));
    return isPath ? encodeURIComponent(value) : value;
  });
}

function wireOf(draft: Draft, side: Side): WireRequest {
  const { credential } = draft;
  const token =
    credential === 'none' ? null : credential === 'nonsense' ? 'x'.repeat(43) : (side.token(credential) ?? 'nobody');
  return {
    method: draft.method,
    path: fill(draft.path, side, true),
    headers: { host: 'localhost', ...draft.headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    body: draft.body === null ? null : fill(draft.body, side, false),
  };
}

const nameOf = ({ method, path }: Operation): string => `${method} ${path.replace('/api/v1/towns/{town}/', '')}`;

const count = (map: Map<string, number>, key: string): void => {
  map.set(key, (map.get(key) ?? 0) + 1);
};

export interface RunOptions {
  readonly runs: number;
  readonly seed: number;
  readonly leaveOut: (operation: Operation) => boolean;
  /** Ends with so many; left out: when there is enough to repair. */
  readonly findingsMax?: number;
}

/** Whether a refused request changed rows. Where others change rows too, it is sent again into a quiet town. */
async function changedBy(request: WireRequest, side: Side): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (!(await side.changed())) return false;
    if (side.isAlone) return true;
    await side.quiet();
    await side.send(request);
  }
  return side.changed();
}

/** Errors: none of the town's; a town that breaks its invariants ends the run. */
export async function fuzz(side: Side, options: RunOptions): Promise<Outcome> {
  const operations = operationsOf(await side.document()).filter((operation) => !options.leaveOut(operation));
  const drafts = fc.sample(draftOf(operations), { numRuns: options.runs, seed: options.seed });
  const byCode = new Map<string, number>();
  const accepted = new Set<string>();
  const findings: Finding[] = [];
  let calls = 0;
  for (const [at, draft] of drafts.entries()) {
    const request = wireOf(draft, side);
    const reply = await side.send(request);
    calls += 1;
    count(byCode, codeOf(reply));
    const note = (what: string): void => {
      findings.push({ at, what, request, reply });
    };
    const fault = faultOf({ ...draft, body: request.body }, reply);
    if (fault !== null) note(fault);
    if (!isRefusal(reply)) {
      accepted.add(nameOf(draft.operation));
      if (draft.method !== 'GET' || (await side.changed())) await side.rest();
    } else if (!LEAVES_A_RECORD.has(codeOf(reply)) && (await changedBy(request, side))) {
      note(`refused with ${String(reply.status)} ${codeOf(reply)}, but rows changed`);
      await side.rest();
    } else if (LEAVES_A_RECORD.has(codeOf(reply))) await side.rest();
    if (findings.length >= (options.findingsMax ?? FINDINGS_MAX)) break;
  }
  return { calls, byCode, operations: operations.map(nameOf), accepted, findings };
}

/** They do right and leave a town that answers little: one that was moved away, or has no rigs. */
export const EMPTIES_THE_TOWN = (operation: Operation): boolean =>
  operation.path.endsWith('/transfer') || operation.path.endsWith('/rigs/{rig}/remove');

export function show({ at, what, request, reply }: Finding, seed: number): string {
  const { authorization: _, ...headers } = request.headers;
  return [
    `FOUND (--seed ${String(seed)}, request ${String(at)}): ${what}`,
    `  ${request.method} ${request.path.slice(0, 300)} ${JSON.stringify(headers).slice(0, 300)}`,
    ...(request.body === null ? [] : [`  ${request.body.slice(0, 600)}`]),
    `  ${String(reply.status)} ${reply.type} ${reply.text.slice(0, 400)}`,
  ].join('\n');
}
