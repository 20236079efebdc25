/** The notifier against receivers of its own on loopback: an HTTP server that verifies signatures, and an SMTP server. */
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import type { Notification } from '../../ports/notifier.ts';
import { escalationConfig } from '../../settings/escalation-config.ts';
import { NodeNotifier } from './notifier.ts';

const KEY = Buffer.from('a key of twenty-four byt');
const SECRET = `whsec_${KEY.toString('base64')}`;
const notification: Notification = {
  key: 'notify:hq-esc-7k3qf9m2:0:webhook',
  escalation: 'hq-esc-7k3qf9m2',
  severity: 'high',
  category: 'bead',
  rig: 'api',
  subject: 'api-7k3qf',
  message: 'Failed twice alike.\r\nBcc: everybody@example.org',
  rises: 0,
  raisedAtMs: 1_000_000_000_000,
  next: 'gt escalation list',
};

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  );
  return (server.address() as AddressInfo).port;
}

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function receiver(status: number, headers: Record<string, string> = {}) {
  const got: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      got.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      response.writeHead(status, headers).end();
    });
  });
  return { got, port: await listen(server) };
}

const webhook = (port: number, secret = 'env:HOOK', env: NodeJS.ProcessEnv = { HOOK: SECRET }) =>
  new NodeNotifier({
    town: 'home',
    config: escalationConfig({ webhook: { url: `http://127.0.0.1:${String(port)}/hook`, secret } }),
    env,
  });

describe('a webhook', () => {
  it('arrives once, with a signature that the reference library and a hand-made one both verify', async () => {
    const { got, port } = await receiver(204);
    expect(await webhook(port).send('webhook', notification)).toEqual({ state: 'sent' });
    const [first] = got;
    if (first === undefined || got.length !== 1) throw new Error('nothing or too much arrived');
    const id = String(first.headers['webhook-id']);
    const at = String(first.headers['webhook-timestamp']);
    const signature = String(first.headers['webhook-signature']);
    const verified = new Webhook(SECRET).verify(first.body, {
      'webhook-id': id,
      'webhook-timestamp': at,
      'webhook-signature': signature,
    });
    expect(verified).toMatchObject({
      type: 'escalation.raised',
      data: { town: 'home', id: 'hq-esc-7k3qf9m2', severity: 'high', subject: 'api-7k3qf' },
    });
    const mine = createHmac('sha256', KEY).update(`${id}.${at}.${first.body}`).digest('base64');
    expect(signature).toBe(`v1,${mine}`);
    expect(id).toBe(notification.key);
  });

  it('is not valid for a changed body', async () => {
    const { got, port } = await receiver(204);
    await webhook(port).send('webhook', notification);
    const headers = Object.fromEntries(
      Object.entries(got[0]?.headers ?? {}).map(([key, value]) => [key, String(value)]),
    );
    expect(() => new Webhook(SECRET).verify(`${got[0]?.body ?? ''} `, headers)).toThrow();
  });

  it.each([
    [500, 'retry'],
    [429, 'retry'],
    [404, 'retry'],
    [410, 'failed'],
  ] as const)('that is answered with %i is %s', async (status, state) => {
    const { port } = await receiver(status);
    expect(await webhook(port).send('webhook', notification)).toEqual({
      state,
      error: `the webhook answered ${String(status)}`,
    });
  });

  it('follows no redirect', async () => {
    const other = await receiver(204);
    const { port } = await receiver(307, { location: `http://127.0.0.1:${String(other.port)}/` });
    expect(await webhook(port).send('webhook', notification)).toMatchObject({ state: 'retry' });
    expect(other.got).toEqual([]);
  });

  it('is tried again when nobody listens', async () => {
    const { port } = await receiver(204);
    await closers.pop()?.();
    expect(await webhook(port).send('webhook', notification)).toMatchObject({ state: 'retry' });
  });

  it('reads its secret from a file, and says where it is missing but not what it is', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gt-secret-'));
    closers.push(() => Promise.resolve(rmSync(folder, { recursive: true })));
    writeFileSync(join(folder, 'hook'), `${SECRET}\n`);
    const { port } = await receiver(204);
    expect(await webhook(port, `file:${join(folder, 'hook')}`).send('webhook', notification)).toEqual({
      state: 'sent',
    });
    expect(await webhook(port, 'env:NONE').send('webhook', notification)).toEqual({
      state: 'failed',
      error: 'there is no secret at env:NONE',
    });
    const broken = await webhook(port, 'env:HOOK', { HOOK: 'whsec_?' }).send('webhook', notification);
    expect(broken.state).not.toBe('sent');
    expect(JSON.stringify(broken)).not.toContain('whsec_');
  });

  it('and e-mail are off when they are not set up', async () => {
    const none = new NodeNotifier({ town: 'home', config: escalationConfig(undefined), env: {} });
    expect(await none.send('webhook', notification)).toMatchObject({ state: 'off' });
    expect(await none.send('email', notification)).toMatchObject({ state: 'off' });
  });
});

interface Mailed {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
}

async function mailServer(options: { readonly password?: string } = {}) {
  const got: Mailed[] = [];
  const server = new SMTPServer({
    authOptional: options.password === undefined,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: (auth, _session, done) => {
      if (auth.password === options.password) done(null, { user: auth.username ?? '' });
      else done(new Error('wrong password'));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        got.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map((one) => one.address),
          text: Buffer.concat(chunks).toString('utf8'),
        });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  );
  return { got, port: (server.server.address() as AddressInfo).port };
}

const mailer = (port: number, password?: string) =>
  new NodeNotifier({
    town: 'home',
    config: escalationConfig({
      email: {
        to: ['ops@example.org', 'ada@example.org'],
        from: 'gastown@example.org',
        host: '127.0.0.1',
        port,
        ...(password === undefined ? {} : { user: 'gt', password: 'env:MAIL' }),
      },
    }),
    env: { MAIL: password },
  });

describe('an e-mail', () => {
  it('arrives at everybody, and its text is no header', async () => {
    const { got, port } = await mailServer();
    expect(await mailer(port).send('email', { ...notification, subject: 'x\r\nBcc: evil@example.org' })).toEqual({
      state: 'sent',
    });
    expect(got).toMatchObject([{ from: 'gastown@example.org', to: ['ops@example.org', 'ada@example.org'] }]);
    const [head, body] = (got[0]?.text ?? '').split('\r\n\r\n');
    expect(head).not.toMatch(/^Bcc:/im);
    expect(head).toMatch(/^Subject: \[home\] high: /m);
    expect(head).toContain('<notify.hq-esc-7k3qf9m2.0.webhook@gastown>');
    expect(body).toContain('Failed twice alike.');
  });

  it('logs in with the password that the reference names', async () => {
    const { got, port } = await mailServer({ password: 'sesame' });
    expect(await mailer(port, 'sesame').send('email', notification)).toEqual({ state: 'sent' });
    expect(got).toHaveLength(1);
  });

  it('fails for good when the server says so, and is tried again when it does not answer', async () => {
    const { port } = await mailServer({ password: 'sesame' });
    const refused = await mailer(port, 'wrong').send('email', notification);
    expect(refused).toMatchObject({ state: 'failed' });
    expect(JSON.stringify(refused)).not.toContain('wrong-secret');
    await closers.pop()?.();
    expect(await mailer(port).send('email', notification)).toMatchObject({ state: 'retry' });
  });
});
