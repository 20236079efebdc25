/**
 * Runner and town over one WebSocket, for a runner behind NAT: the calls of `runner.ts` in both directions, as frames.
 *
 * 1. The runner dials `GET /api/v1/towns/:town/runner/connect` with the headers below. Wrong or missing: 401, no socket.
 * 2. The town proves itself (`welcome`), the runner answers the town's fresh nonce (`ready`). Nothing else is sent or
 *    taken before, so a replayed request opens nothing, and a false town learns nothing that opens the true one.
 * 3. Either side sends `call` and gets one `answer` by its id. Ids are of the caller; an id that is repeated while
 *    its call is under way is the same call. A cut ends all calls without an answer: their senders repeat them, and every call is idempotent by key.
 */
import { z } from 'zod';

/** A page of output (512 KiB) and a batch of facts (2 MiB) fit, also when JSON escapes every second character. */
export const FRAME_BYTES_MAX: number = 8 * 1024 * 1024;
/** From the connection to `ready`. */
export const HANDSHAKE_MS = 10_000;

/** Headers of the runner's request. */
export const RUNNER_HEADER = 'x-gt-runner';
export const NONCE_HEADER = 'x-gt-nonce';
export const PROTOCOL_HEADER = 'x-gt-protocol';
/** Scheme of the `authorization` header: what follows is the runner's first proof. */
export const PROOF_SCHEME = 'GT-Proof';

/** Of a path and of each header in a frame: as much as HTTP servers take. */
export const HEAD_CHARS_MAX = 8_192;

const id = z.number().int().min(1);
const proof = z.string().min(1).max(200);

const callSchema = z.object({
  t: z.literal('call'),
  id,
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  path: z.string().startsWith('/').max(HEAD_CHARS_MAX),
  /** Of an agent's call that the runner passes on; the runner's own calls need none: the connection is proven. */
  authorization: z.string().max(HEAD_CHARS_MAX).nullable(),
  body: z.string().nullable(),
  /** The idempotency key of an agent's call: said again on another connection it is the same call. */
  key: z.string().max(HEAD_CHARS_MAX).optional(),
});
const answerSchema = z.object({
  t: z.literal('answer'),
  id,
  status: z.number().int().min(100).max(599),
  type: z.string().max(200),
  body: z.string(),
  /** `x-next-offset` of output. */
  next: z.number().int().nullable(),
});

export const frameSchema = z.discriminatedUnion('t', [
  z.object({
    t: z.literal('welcome'),
    nonce: z.string().min(16).max(200),
    proof,
    protocol: z.number().int(),
    /** Of a town that sleeps between calls: the text that its host answers with the same, without waking it. */
    beat: z.string().min(1).max(20).optional(),
  }),
  z.object({ t: z.literal('ready'), proof }),
  callSchema,
  answerSchema,
]);
export type Frame = z.infer<typeof frameSchema>;

/** One call on its way, over any transport. */
export type WireCall = Omit<z.infer<typeof callSchema>, 't' | 'id'>;
/** What came back; every status is an answer. */
export type WireAnswer = Omit<z.infer<typeof answerSchema>, 't' | 'id'>;
