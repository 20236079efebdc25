import type { Context, MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Caller } from '../core/commands.ts';
import { TownError, usage } from '../core/errors.ts';
import { MAYOR } from '../core/model/mayor.ts';
import type { Capability, MayorCapability } from '../core/queries.ts';
import type { Clock } from '../ports/clock.ts';
import type { TownGateway } from '../ports/town-gateway.ts';
import { LOCAL_RUNNER } from '../core/model/runner.ts';
import { badCredential, verifyCapability } from './capability.ts';
import { mayorRight } from './mayor-rights.ts';
import { bearerFor, runnerOfBearer, tokenOf } from './contract/runner-auth.ts';
import { parseIfMatch } from './parse-if-match.ts';
import { cookieName, isSessionToken, mayRole, verifySession } from './session.ts';
import type { Role } from './contract/roles.ts';
import type { AgentVerb } from '../core/queries.ts';
import { forbidden } from './errors.ts';

/** The secrets of one town; each opens one part of the API and nothing else. */
export interface AuthOptions {
  readonly owner: string;
  readonly brainCalls: string;
  readonly capabilityKey: string;
  /** Who the owner token speaks for, for example `human/owner`. */
  readonly ownerActor: string;
}

/** Who a credential speaks for. */
export type Principal =
  | { readonly kind: 'owner'; readonly role: Role }
  | { readonly kind: 'runner'; readonly runner: string }
  | { readonly kind: 'agent'; readonly capability: Capability }
  | { readonly kind: 'mayor'; readonly capability: MayorCapability };

export interface AppEnv {
  Variables: { principal: Principal; caller: Caller };
}

/** Idempotency keys are stored; longer ones are refused, not cut. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;

interface AuthDeps {
  readonly gateway: TownGateway;
  readonly auth: AuthOptions;
  readonly clock: Clock;
  /** True where browsers come, and their cookies count. */
  readonly loopbackOnly: boolean;
}

/** The kind of credential that a path needs. Everything that is not named here is the owner's. */
function neededKind(path: string): Principal['kind'] {
  const part = path.split('/')[5];
  if (part === 'runner') return 'runner';
  if (part === 'mayor' && path.split('/')[6] === 'session') return 'mayor';
  return part === 'agent' ? 'agent' : 'owner';
}

/**
 * Closed by default: every path below the API needs the one credential of its kind, also paths that do not exist.
 * Errors: `no_credential`, `bad_credential` (401), `wrong_credential` (403), `superseded` (409).
 */
export function authenticate(deps: AuthDeps): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const principal = await principalOf(credentialOf(c, deps), deps);
    const needed = neededKind(c.req.path);
    const isMayorsRight = principal.kind === 'mayor' && needed === 'owner' && mayMayor(principal.capability, c);
    if (principal.kind !== needed && !isMayorsRight) {
      throw forbidden(
        'wrong_credential',
        `This call needs the credential of the ${needed}, not of the ${principal.kind}.`,
        adviceFor(principal),
      );
    }
    if (principal.kind === 'owner') mustMay(principal.role, c);
    if (principal.kind === 'agent') await deps.gateway.checkCapability(principal.capability);
    if (principal.kind === 'mayor') await deps.gateway.mayor.check(principal.capability);
    c.set('principal', principal);
    c.set('caller', callerOf(principal, deps.auth, c));
    await next();
  };
}

/** Errors: `verb_not_allowed`. */
function mayMayor(capability: MayorCapability, c: Context): boolean {
  const verb = mayorRight(c.req.method, c.req.path.split('/').slice(5).join('/'));
  if (verb !== null && capability.verbs.includes(verb)) return true;
  throw forbidden(
    'verb_not_allowed',
    `The mayor may not call ${c.req.method} ${c.req.path.split('/').slice(5).join('/').slice(0, 100)}.`,
    'What you may do is in your prompt (gt prime); ask a person for the rest with gt escalate.',
  );
}

/** Errors: `role_not_allowed`. */
function mustMay(role: Role, c: Context): void {
  if (mayRole(role, c.req.method, c.req.path.split('/').slice(5).join('/'))) return;
  throw forbidden(
    'role_not_allowed',
    `You are signed in as ${role === 'viewer' ? 'a viewer, who reads and changes nothing' : 'an operator, who changes no settings'}.`,
    'Ask the owner, or use "gt" inside the town.',
  );
}

/** The bearer token, or a browser's cookie. Errors: those of a credential; `origin_not_allowed`. */
function credentialOf(c: Context, deps: AuthDeps): string {
  const header = c.req.header('authorization');
  const cookie = deps.loopbackOnly ? getCookie(c, cookieName(deps.gateway.id)) : undefined;
  if (header !== undefined || cookie === undefined) return bearerOf(header);
  // A browser sends the cookie by itself, also for a page of another port of this machine.
  const site = c.req.header('sec-fetch-site') ?? 'none';
  const isRead = c.req.method === 'GET' || c.req.method === 'HEAD';
  if ((site === 'same-origin' || site === 'none') && (isRead || c.req.header('origin') !== undefined)) return cookie;
  throw forbidden('origin_not_allowed', "Only the town's own page may use its cookie.", "Open the town's own address.");
}

function adviceFor(principal: Principal): string {
  if (principal.kind === 'mayor')
    return 'Use gt mayor reply, gt prime, gt mail, gt checkpoint, gt escalate or gt handoff.';
  return principal.kind === 'agent'
    ? 'Use the agent commands: gt hook, gt prime, gt checkpoint and gt done.'
    : 'Use the credential that belongs to this call.';
}

/** Who calls outside of the API's paths, whose rights are looked at later. Errors: those of a credential. */
export const whoCalls = async (request: Request, deps: AuthDeps): Promise<Principal> =>
  principalOf(bearerOf(request.headers.get('authorization') ?? undefined), deps);

function bearerOf(header: string | undefined): string {
  if (header === undefined) {
    throw new TownError('unauthenticated', 'no_credential', {
      message: 'This call needs a bearer token.',
      next: 'Use "gt" inside the town: it reads the owner token by itself.',
    });
  }
  const match = /^Bearer ([\x21-\x7e]+)$/i.exec(header);
  if (match?.[1] === undefined) throw badCredential();
  return match[1];
}

async function principalOf(token: string, deps: AuthDeps): Promise<Principal> {
  if (await sameSecret(token, deps.auth.owner)) return { kind: 'owner', role: 'owner' };
  if (await sameSecret(token, deps.auth.brainCalls)) return { kind: 'runner', runner: LOCAL_RUNNER };
  const runner = runnerOfBearer(token);
  if (runner !== null) return registeredRunner(runner, token, deps);
  const about = { key: deps.auth.capabilityKey, town: deps.gateway.id, nowMs: deps.clock.now() };
  if (isSessionToken(token)) return { kind: 'owner', role: await verifySession(token, about) };
  const capability = await verifyCapability({ token, ...about });
  return 'role' in capability ? { kind: 'mayor', capability } : { kind: 'agent', capability };
}

/** The present token of a runner, or the one that was made last, which is the present one from then on. */
async function registeredRunner(runner: string, token: string, { gateway, auth }: AuthDeps): Promise<Principal> {
  const known = await gateway.runners.serials(runner);
  if (known === null) throw badCredential();
  const isOf = async (serial: string): Promise<boolean> => {
    const { verifier } = await tokenOf(auth.capabilityKey, { town: gateway.id, runner, serial });
    return sameSecret(token, await bearerFor(verifier, runner, 'to-town'));
  };
  if (await isOf(known.current)) return { kind: 'runner', runner };
  if (known.next === null || !(await isOf(known.next))) throw badCredential();
  await gateway.runners.rotated(runner);
  return { kind: 'runner', runner };
}

/** The runner that calls. */
export function runnerOf(c: Context<AppEnv>): string {
  const principal = c.get('principal');
  if (principal.kind !== 'runner')
    throw forbidden('wrong_credential', 'Only a runner may say so.', 'Use the credential that belongs to this call.');
  return principal.runner;
}

/** Compares hashes, so that the time taken says nothing about the secret. */
async function sameSecret(given: string, secret: string): Promise<boolean> {
  const [left, right] = await Promise.all([sha256(given), sha256(secret)]);
  let difference = 0;
  for (const [index, byte] of left.entries()) difference |= byte ^ (right[index] ?? 0);
  return difference === 0;
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

function callerOf(principal: Principal, auth: AuthOptions, c: Context): Caller {
  const key = c.req.header('idempotency-key');
  if (key !== undefined && !IDEMPOTENCY_KEY.test(key)) {
    throw usage(
      'bad_idempotency_key',
      'The Idempotency-Key is not 1 to 200 printable ASCII characters without spaces.',
      'Send a random key of your own, the same one for each repeat.',
      'Idempotency-Key',
    );
  }
  const idempotencyKey = key === undefined ? undefined : `${whoseKey(principal)} ${orderOf(c)} ${key}`;
  const ifMatch = parseIfMatch(c.req.header('if-match'));
  switch (principal.kind) {
    case 'owner':
      return { actor: auth.ownerActor, origin: 'human', idempotencyKey, ifMatch };
    case 'runner':
      return { actor: 'system', origin: 'system', idempotencyKey };
    case 'mayor':
      return { actor: MAYOR, origin: 'agent', idempotencyKey, ifMatch };
    case 'agent':
      return { actor: principal.capability.agent, origin: 'agent', idempotencyKey };
  }
}

/**
 * A key is its sender's own: two agents may both count from one. Within one sitting a key of the mayor is one key,
 * whichever of its sessions sends it.
 */
function whoseKey(principal: Principal): string {
  switch (principal.kind) {
    case 'mayor':
      return `mayor:${String(principal.capability.sitting)}`;
    case 'agent':
      return principal.capability.attempt;
    default:
      return principal.kind;
  }
}

/** The same key on another route is another order, and not answered as the first; however its town is called there. */
const orderOf = (c: Context): string => `${c.req.method} ${c.req.path.replace(/^\/api\/v1\/towns\/[^/]+/, '')}`;

/** The session of a call to the mayor's own conversation. */
export function mayorFor(c: Context<AppEnv>): MayorCapability {
  const principal = c.get('principal');
  if (principal.kind === 'mayor' && principal.capability.verbs.includes('session')) return principal.capability;
  throw forbidden('wrong_credential', 'Only the mayor has this conversation.', 'People use "gt mayor message".');
}

/** The capability of an agent's call, with the right that the call needs. Errors: `verb_not_allowed`. */
export function capabilityFor(c: Context<AppEnv>, verb: AgentVerb): Capability {
  const principal = c.get('principal');
  if (principal.kind !== 'agent')
    throw forbidden('wrong_credential', 'Only an agent has a hook.', 'Use "gt bead show <id>" or "gt agents".');
  if (!principal.capability.verbs.includes(verb)) {
    throw forbidden(
      'verb_not_allowed',
      `The token of this attempt does not allow "${verb}".`,
      'Use the other agent commands; finish with "gt done".',
    );
  }
  return principal.capability;
}

const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

/**
 * For a listener that browsers can reach: the Host must be a loopback name (no DNS rebinding), and a page may only
 * call the origin it came from (no cross-site requests). Errors: `host_not_allowed`, `origin_not_allowed`.
 */
export function loopbackOnly(): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const host = c.req.header('host') ?? '';
    if (!LOOPBACK.test(host))
      throw forbidden(
        'host_not_allowed',
        'The town answers on loopback names only.',
        "Use the address in the town's daemon/endpoint.json.",
      );
    const origin = c.req.header('origin');
    if (origin !== undefined && origin !== `http://${host}`)
      throw forbidden(
        'origin_not_allowed',
        'A page of another origin may not call the town.',
        "Open the town's own address.",
      );
    await next();
  };
}
