/** A small S3-compatible bucket on loopback, in memory: what a cluster of workerd asks of one, with conditional writes. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Stored {
  readonly body: Buffer;
  readonly etag: string;
  readonly at: Date;
}

export interface Bucket {
  readonly url: string;
  /** Keys and their bodies. */
  readonly objects: ReadonlyMap<string, Stored>;
  /** Requests by method since the start. */
  readonly requests: ReadonlyMap<string, number>;
  close(): void;
}

/** As many keys as one page of a listing has. */
const PAGE = 1_000;

export async function startBucket(): Promise<Bucket> {
  const objects = new Map<string, Stored>();
  const requests = new Map<string, number>();
  const server = createServer((request, response) => {
    requests.set(request.method ?? '', (requests.get(request.method ?? '') ?? 0) + 1);
    bodyOf(request).then(
      (body) => {
        answer(objects, { request, response, body });
      },
      () => {
        response.destroy();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    objects,
    requests,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
}

function answer(objects: Map<string, Stored>, { request, response, body }: Exchange): void {
  const url = new URL(request.url ?? '/', 'http://bucket');
  // Path style: /<bucket>/<key>.
  const key = decodeURIComponent(url.pathname.split('/').slice(2).join('/'));
  if (request.method === 'GET' && key === '') list(objects, url.searchParams, response);
  else if (request.method === 'GET' || request.method === 'HEAD') get(objects.get(key), request, response);
  else if (request.method === 'PUT') put(objects, key, { request, response, body });
  else if (request.method === 'DELETE') {
    objects.delete(key);
    response.writeHead(204).end();
  } else if (request.method === 'POST' && url.searchParams.has('delete')) removeMany(objects, body, response);
  else refuse(response, 501, 'NotImplemented');
}

/** A write that names what it expects is refused when something else is there: all of a cluster rests on that. */
function put(objects: Map<string, Stored>, key: string, { request, response, body }: Exchange): void {
  const known = objects.get(key);
  const expected = request.headers['if-match'];
  if (request.headers['if-none-match'] === '*' && known !== undefined) {
    refuse(response, 412, 'PreconditionFailed');
    return;
  }
  if (expected !== undefined && known?.etag !== expected) {
    if (known === undefined) refuse(response, 404, 'NoSuchKey');
    else refuse(response, 412, 'PreconditionFailed');
    return;
  }
  const etag = `"${createHash('md5').update(body).update(String(objects.size)).update(String(performance.now())).digest('hex')}"`;
  objects.set(key, { body, etag, at: new Date() });
  response.writeHead(200, { etag }).end();
}

function get(stored: Stored | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (stored === undefined) {
    refuse(response, 404, 'NoSuchKey');
    return;
  }
  const headers = { etag: stored.etag, 'last-modified': stored.at.toUTCString(), 'accept-ranges': 'bytes' };
  if (request.headers['if-none-match'] === stored.etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
  const size = stored.body.length;
  const from = range === null ? 0 : range[1] === '' ? Math.max(0, size - Number(range[2])) : Number(range[1]);
  const to = range === null || range[1] === '' || range[2] === '' ? size - 1 : Math.min(size - 1, Number(range[2]));
  const part = stored.body.subarray(from, to + 1);
  response.writeHead(range === null ? 200 : 206, {
    ...headers,
    'content-length': String(part.length),
    ...(range === null ? {} : { 'content-range': `bytes ${String(from)}-${String(to)}/${String(size)}` }),
  });
  response.end(request.method === 'HEAD' ? undefined : part);
}

function list(objects: ReadonlyMap<string, Stored>, query: URLSearchParams, response: ServerResponse): void {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted(byCodeUnits);
  const folders = new Set<string>();
  const found: string[] = [];
  for (const key of keys) {
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (end >= 0) folders.add(key.slice(0, end + delimiter.length));
    else found.push(key);
  }
  const page = found.slice(0, PAGE);
  const next = found.length > PAGE ? page.at(-1) : undefined;
  const contents = page.map((key) => {
    const { etag, body, at } = objects.get(key) as Stored;
    return `<Contents><Key>${escaped(key)}</Key><LastModified>${at.toISOString()}</LastModified><ETag>${escaped(etag)}</ETag><Size>${String(body.length)}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
  });
  const prefixes = [...folders].map((one) => `<CommonPrefixes><Prefix>${escaped(one)}</Prefix></CommonPrefixes>`);
  xml(
    response,
    200,
    `<ListBucketResult><Name>gt</Name><Prefix>${escaped(prefix)}</Prefix><KeyCount>${String(page.length)}</KeyCount><MaxKeys>${String(PAGE)}</MaxKeys><IsTruncated>${String(next !== undefined)}</IsTruncated>${next === undefined ? '' : `<NextContinuationToken>${escaped(next)}</NextContinuationToken>`}${contents.join('')}${prefixes.join('')}</ListBucketResult>`,
  );
}

function removeMany(objects: Map<string, Stored>, body: Buffer, response: ServerResponse): void {
  const keys = [...body.toString('utf8').matchAll(/<Key>([^<]*)<\/Key>/g)].map((match) => unescaped(match[1] ?? ''));
  for (const key of keys) objects.delete(key);
  const deleted = keys.map((key) => `<Deleted><Key>${escaped(key)}</Key></Deleted>`).join('');
  xml(response, 200, `<DeleteResult>${deleted}</DeleteResult>`);
}

const refuse = (response: ServerResponse, status: number, code: string): void => {
  xml(response, status, `<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
};

function xml(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(`<?xml version="1.0" encoding="UTF-8"?>${text}`);
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const unescaped = (text: string): string =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
