import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { chatWire } from './chat.ts';
import type { Asked, Reply, Wire } from './conversation.ts';
import { geminiWire } from './gemini.ts';
import { messagesWire } from './messages.ts';
import { responsesWire } from './responses.ts';
import { type Fault, findPlace, type Place } from './scenario.ts';
import { callFor, folderOf } from './tool-choice.ts';

const WIRES: readonly Wire[] = [messagesWire, chatWire, responsesWire, geminiWire];
/** A conversation of any agent that follows a script is far below this. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;
/** Requests that are remembered for whoever wants to look. */
const SEEN_MAX = 2_000;
/** What each reply claims to have cost, so that sums can be checked. */
const USAGE = { input: 1_000, output: 50, cached: 200 };

/** One request as the model saw it. */
export interface Seen {
  readonly wire: Wire['name'];
  readonly model: string;
  /** All words of the conversation. */
  readonly words: string;
  /** Orders in it; more than one: the session was resumed. */
  readonly orders: number;
  readonly tools: readonly string[];
  /** Answered with this fault. */
  readonly fault: Fault['kind'] | null;
}

export interface ScriptedModel {
  readonly port: number;
  readonly seen: readonly Seen[];
  close(): Promise<void>;
}

/**
 * A model on loopback that does what a line in the prompt says: it speaks the wires of the real services, so that a real
 * agent program works with it without a key and without a network. It is not a model; it shows that starting, following,
 * stopping, resuming and calling tools work.
 */
export async function startScriptedModel(): Promise<ScriptedModel> {
  const seen: Seen[] = [];
  const faults = new Map<string, number>();
  const server = createServer((request, response) => {
    void serve({ request, response, seen, faults }).catch(() => {
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    seen,
    close: () => closed(server),
  };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly seen: Seen[];
  readonly faults: Map<string, number>;
}

async function serve(exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  const path = new URL(request.url ?? '/', 'http://model').pathname;
  const wire = WIRES.find((each) => each.matches(path));
  if (wire === undefined || request.method !== 'POST') {
    sendOther(response, path);
    return;
  }
  const asked = wire.read(JSON.parse(await bodyOf(request)), path);
  const place = findPlace(asked.items);
  // Side jobs (a title, a summary) offer no tools: they get a short text and take no step.
  const fault = asked.tools.length === 0 ? null : dueFault(place, exchange.faults);
  note(exchange.seen, { wire, asked, place, fault });
  const reply = replyTo(asked, place);
  if (fault === null) send(response, wire, { reply, asked });
  else sendFault(response, wire, { reply, asked, fault });
}

function note(
  seen: Seen[],
  what: { readonly wire: Wire; readonly asked: Asked; readonly place: Place; readonly fault: Fault | null },
): void {
  if (seen.length >= SEEN_MAX) seen.shift();
  seen.push({
    wire: what.wire.name,
    model: what.asked.model,
    words: what.asked.items.map((item) => item.text).join('\n'),
    orders: what.place.orders,
    tools: what.asked.tools.map((tool) => tool.name),
    fault: what.fault?.kind ?? null,
  });
}

function dueFault({ step, key }: Place, counts: Map<string, number>): Fault | null {
  const fault = step?.fault;
  if (fault === undefined) return null;
  const before = counts.get(key) ?? 0;
  if (before >= (fault.times ?? Number.POSITIVE_INFINITY)) return null;
  counts.set(key, before + 1);
  return fault;
}

function replyTo(asked: Asked, { step, key }: Place): Reply {
  const id = randomUUID().replaceAll('-', '');
  if (step === null || asked.tools.length === 0) return { id, text: 'Scripted work', call: null, usage: USAGE };
  const call = callFor(step, {
    tools: asked.tools,
    id: `call_${key.replaceAll(':', '_')}`,
    folder: folderOf(asked.items),
  });
  const wanted = step.shell !== undefined || step.write !== undefined || step.tool !== undefined;
  const missing =
    wanted && call === null ? `No tool for this step among: ${asked.tools.map((tool) => tool.name).join(', ')}` : '';
  return { id, text: step.say ?? missing, call, usage: USAGE };
}

interface Answer {
  readonly reply: Reply;
  readonly asked: Asked;
}

function send(response: ServerResponse, wire: Wire, { reply, asked }: Answer): void {
  if (!asked.stream) {
    sendJson(response, 200, wire.whole(reply, asked));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.end(wire.stream(reply, asked).join(''));
}

function sendFault(response: ServerResponse, wire: Wire, answer: Answer & { readonly fault: Fault }): void {
  const { reply, asked, fault } = answer;
  if (fault.kind === 'hang') return;
  if (fault.kind === 'status') {
    const status = fault.status ?? 500;
    const message = fault.message ?? (status === 429 ? 'Rate limit reached.' : 'Internal server error.');
    sendJson(response, status, wire.refusal({ status, message }), fault.headers);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write(wire.stream(reply, asked)[0] ?? '');
  if (fault.kind === 'malformed')
    response.end('event: \u0000\ndata: {"type": "this is not JS\n\ndata: <html>Bad gateway</html>\n\n');
  // After the first part has gone out: a connection that breaks before it is another fault.
  if (fault.kind === 'cut') setImmediate(() => response.destroy());
}

/** Lists of models and probes that some programs ask for at their start. */
function sendOther(response: ServerResponse, path: string): void {
  if (path.endsWith('/models'))
    sendJson(response, 200, { object: 'list', data: [{ id: 'scripted-1', object: 'model' }] });
  else if (path.endsWith('/count_tokens')) sendJson(response, 200, { input_tokens: USAGE.input });
  else sendJson(response, 404, { error: { message: 'not here', type: 'not_found_error' } });
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length, ...headers });
  response.end(bytes);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > BODY_BYTES_MAX) throw new Error('body too large');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
