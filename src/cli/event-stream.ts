/** Server-sent events over a unix socket or from an address, for commands that follow something. Loaded only by those. */
import { request, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { createParser } from 'eventsource-parser';
import { NotListening } from './socket-http.ts';

/** The town says something every 15 s; after three times nothing the connection is dead. */
const SILENCE_MAX_MS = 45_000;

export interface EventRequest {
  /** Where the town listens. */
  readonly at: { readonly socketPath: string } | { readonly url: string };
  readonly path: string;
  readonly token: string;
  /** Where to go on; null: as the path says. */
  readonly lastEventId: string | null;
}

export interface ReadEvent {
  /** Name of the event. */
  readonly type: string;
  readonly data: string;
}

/** The answer was no stream: an error of the town. */
export class NoStream extends Error {
  override readonly name = 'NoStream';
  readonly status: number;
  readonly text: string;

  constructor(status: number, text: string) {
    super(`the town answered with status ${String(status)}`);
    this.status = status;
    this.text = text;
  }
}

/** Events until the connection ends, however it ends. Errors: `NotListening`, `NoStream`. */
export async function* readEvents(input: EventRequest): AsyncGenerator<ReadEvent, void> {
  const answer = await opened(input);
  if (answer.statusCode !== 200) throw new NoStream(answer.statusCode ?? 0, await textOf(answer));
  const events: ReadEvent[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => events.push({ type: event ?? 'message', data }),
  });
  answer.setEncoding('utf8');
  try {
    for await (const chunk of answer) {
      parser.feed(String(chunk));
      yield* events.splice(0);
    }
  } catch (error) {
    // A connection that breaks is an end like any other: who follows comes again.
    if (!(error instanceof Error && 'code' in error)) throw error;
  } finally {
    answer.destroy();
  }
}

function opened(input: EventRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${input.token}`,
      accept: 'text/event-stream',
      ...(input.lastEventId === null ? {} : { 'last-event-id': input.lastEventId }),
    };
    const call = asked(input, headers);
    call.setTimeout(SILENCE_MAX_MS, () => call.destroy(new NotListening('silence')));
    call.once('response', resolve);
    call.once('error', (error) => {
      reject(new NotListening(error.message));
    });
    call.end();
  });
}

function asked({ at, path }: EventRequest, headers: Record<string, string>): ReturnType<typeof request> {
  if ('socketPath' in at) return request({ socketPath: at.socketPath, path, headers, agent: false });
  const url = new URL(`${at.url.replace(/\/$/, '')}${path}`);
  return (url.protocol === 'https:' ? tlsRequest : request)(url, { headers, agent: false });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  answer.setEncoding('utf8');
  for await (const chunk of answer) text += String(chunk);
  return text;
}
