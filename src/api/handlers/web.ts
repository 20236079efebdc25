import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { setCookie } from 'hono/cookie';
import { TownError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { whoCalls, type AppEnv, type AuthOptions } from '../auth.ts';
import { name } from '../contract/common.ts';
import { meSchema, signInLinkAnswerSchema, signInLinkSchema } from '../contract/sign-in.ts';
import { forbidden } from '../errors.ts';
import { metricsOf, type ProcessFigures } from '../metrics.ts';
import { cookieName, mintSession, SESSION_LIFE_MS } from '../session.ts';
import type { SignIn } from '../sign-in.ts';
import { answers, jsonBody, ownerOnly, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

/** A file of the dashboard. */
export interface WebFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly type: string;
  /** Its name changes with its content. */
  readonly isImmutable: boolean;
}

/** What a host that serves browsers has. */
export interface WebDoor {
  readonly signIn: SignIn;
  /** Null: no such file. The dashboard itself is `index.html`. */
  readonly file: (path: string) => Promise<WebFile | null>;
  /** What the process knows of itself, for `/metrics`. */
  readonly figures: () => ProcessFigures;
}

interface WebDeps extends Deps {
  readonly auth: AuthOptions;
  readonly clock: Clock;
  readonly loopbackOnly: boolean;
}

const MS_PER_SECOND = 1_000;

/** Nothing from elsewhere; what the page's libraries set as styles is set by its own script. */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

const town = z.object({ town: name });
const link = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/sign-in-links`,
  security: ownerOnly,
  request: { params: town, ...jsonBody(signInLinkSchema) },
  responses: answers(signInLinkAnswerSchema, 'A link that signs a browser in, once'),
});
const me = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/me`,
  security: ownerOnly,
  request: { params: town },
  responses: answers(meSchema, 'Who is signed in'),
});

/** Below the API: whoever may make links, and who one is. */
export function registerSignIn(app: App, deps: WebDeps, web: WebDoor | undefined): void {
  const { id, name: townName } = deps.gateway;
  app.openapi(me, (c) => {
    const principal = c.get('principal');
    return c.json({ role: principal.kind === 'owner' ? principal.role : 'viewer', town: id, name: townName }, 200);
  });
  app.openapi(link, async (c) => {
    if (web === undefined)
      throw new TownError('precondition', 'no_dashboard', {
        message: 'This town serves no dashboard here.',
        next: 'Use "gt" instead.',
      });
    const { role = 'owner', token = false } = c.req.valid('json');
    const { code, expiresAtMs } = web.signIn.make(role);
    const session = { town: id, role, expiresAtMs: deps.clock.now() + SESSION_LIFE_MS };
    const bearer = token ? await mintSession(session, deps.auth.capabilityKey) : null;
    return c.json({ path: `/sign-in/${code}`, expires_at: expiresAtMs, token: bearer }, 200);
  });
}

/** Outside of the API: the page, the way in, and figures. */
export function registerWeb(app: App, deps: WebDeps, web: WebDoor): void {
  app.get('/metrics', async (c) => {
    const principal = await whoCalls(c.req.raw, deps);
    if (principal.kind !== 'owner')
      throw forbidden(
        'wrong_credential',
        'Figures are for people.',
        'Use a token of "gt dashboard --role viewer --token".',
      );
    const text = metricsOf(await deps.gateway.status(), web.figures());
    return c.text(text, 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  });
  if (!deps.loopbackOnly) return;
  app.get('/sign-in/:code', async (c) => {
    const role = web.signIn.use(c.req.param('code'));
    if (role === null) return page(c, 410, SIGN_IN_OVER);
    const expiresAtMs = deps.clock.now() + SESSION_LIFE_MS;
    const session = await mintSession({ town: deps.gateway.id, role, expiresAtMs }, deps.auth.capabilityKey);
    setCookie(c, cookieName(deps.gateway.id), session, {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/',
      maxAge: SESSION_LIFE_MS / MS_PER_SECOND,
    });
    // Not a redirect: the next request must come from a page of this town, so that the cookie goes along.
    return page(c, 200, SIGNED_IN);
  });
  app.get('*', async (c, next) => {
    const { path } = c.req;
    if (path.startsWith('/api/') || path === '/openapi.json' || path === '/mcp') return next();
    const isFile = /\.[a-z0-9]+$/i.test(path);
    const file = await web.file(isFile ? path.slice(1) : 'index.html');
    if (file !== null) return answerFile(c, file);
    return isFile ? next() : page(c, 503, NOT_BUILT);
  });
}

function answerFile(c: Context<AppEnv>, file: WebFile): Response {
  const cache = file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache';
  return c.body(file.body, 200, { ...PAGE_HEADERS, 'content-type': file.type, 'cache-control': cache });
}

const page = (c: Context<AppEnv>, status: 200 | 410 | 503, html: string): Response =>
  c.html(html, status, { ...PAGE_HEADERS, 'cache-control': 'no-store' });

const html = (title: string, body: string, head = ''): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">${head}<title>${title}</title></head><body><main><h1>${title}</h1>${body}</main></body></html>`;

const SIGNED_IN = html(
  'Signed in',
  '<p><a href="/">Open the dashboard</a></p>',
  '<meta http-equiv="refresh" content="0;url=/">',
);
const SIGN_IN_OVER = html(
  'This link is used up',
  '<p>A link signs in once and within five minutes. Make another in the town: <code>gt dashboard</code></p>',
);
const NOT_BUILT = html(
  'The dashboard is not built',
  '<p>This is a clone: build it once with <code>npm run build:web</code>, or let <code>gt dashboard</code> do it; then load this page again.</p>',
);
