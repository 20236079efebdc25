import { OpenAPIHono } from '@hono/zod-openapi';
import type { Hook } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Caller, RigDrain, RigSettings } from '../core/commands.ts';
import type { RigName } from '../core/model/ids.ts';
import { notFound, TownError, usage } from '../core/errors.ts';
import type { RigRemoval, RigSummary } from '../core/queries.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { TownGateway } from '../ports/town-gateway.ts';
import { authenticate, loopbackOnly, whoCalls } from './auth.ts';
import type { AppEnv, AuthOptions, Principal } from './auth.ts';
import type { AddRigBody } from './contract/rigs.ts';
import { toProblem } from './errors.ts';
import { refuseUnkept } from './if-match.ts';
import { registerBeads } from './handlers/beads.ts';
import { registerConvoys } from './handlers/convoys.ts';
import { registerDiff } from './handlers/diff.ts';
import { registerEscalations } from './handlers/escalations.ts';
import { registerAgentCalls, registerRunnerCalls } from './handlers/machine.ts';
import { registerMoney } from './handlers/money.ts';
import { registerMayor, registerMayorSession } from './handlers/mayor.ts';
import { registerRunners } from './handlers/runners.ts';
import { registerMolecules } from './handlers/molecules.ts';
import { registerOwnWork } from './handlers/own-work.ts';
import { registerOwnEscalations } from './handlers/own-escalations.ts';
import { registerSearch } from './handlers/search.ts';
import { registerStream } from './handlers/stream.ts';
import { registerSteering } from './handlers/steering.ts';
import type { App, Deps, Transcript } from './handlers/shared.ts';
import { registerAgentTalk, registerTalk } from './handlers/talk.ts';
import { registerRigs } from './handlers/rigs.ts';
import { registerSignIn, registerWeb, type WebDoor } from './handlers/web.ts';
import { registerSettings, type SettingsDoor } from './handlers/settings.ts';
import { registerAgents, registerTown } from './handlers/town.ts';
import { askedOf } from './runner-away.ts';
import { sameAnswer } from './same-answer.ts';
import { registerTransfer, type TransferDoor } from './handlers/transfer.ts';

const BODY_BYTES_MAX = 1024 * 1024;
/** A batch of facts carries gate logs. */
const FACTS_BODY_BYTES_MAX = 2 * BODY_BYTES_MAX;
/** A single row may have values of 2 MB each, and JSON escapes them. */
const TRANSFER_BODY_BYTES_MAX = 16 * BODY_BYTES_MAX;

export interface AppOptions {
  readonly gateway: TownGateway;
  readonly auth: AuthOptions;
  readonly clock: Clock;
  readonly log: Log;
  /** True on a listener that browsers can reach: Host and Origin are checked. */
  readonly loopbackOnly: boolean;
  readonly ready: () => boolean;
  readonly addRig: (body: AddRigBody, caller: Caller) => Promise<RigSummary>;
  readonly changeRig: (name: RigName, settings: RigSettings, caller: Caller) => Promise<RigSummary>;
  readonly removeRig: (name: RigName, drain: RigDrain, caller: Caller) => Promise<RigRemoval>;
  readonly transcript: (attempt: string, from: number, waitMs?: number) => Promise<Transcript>;
  readonly diff?: NonNullable<Deps['diff']>;
  readonly runnerLine: Deps['runnerLine'];
  /** The town's file; missing where a host only reads. */
  readonly settings?: SettingsDoor;
  readonly streams?: Deps['streams'];
  /** How many turns the actors made; missing where that is not known: every read is then computed for itself. */
  readonly turns?: () => number;
  /** For moves from and to this town; missing where files are moved instead. */
  readonly transfer?: TransferDoor;
  /** The dashboard, where a host serves one. */
  readonly web?: WebDoor;
}

/** The HTTP application of one town: the same on every host, without a host's modules. */
export function createApp(given: AppOptions): App {
  const options: AppOptions = { ...given, transcript: transcriptOf(given) };
  const app: App = new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid });
  app.onError((error, c) => answerProblem(c, error, options.log));
  app.notFound((c) =>
    answerProblem(
      c,
      new TownError('not_found', 'no_such_route', {
        message: 'There is no such path.',
        next: 'See /openapi.json for all paths.',
      }),
      options.log,
    ),
  );
  if (options.loopbackOnly) app.use('*', loopbackOnly());
  registerHealth(app, options);
  registerSecurity(app);
  app.use('/api/*', authenticate(options));
  app.use('/api/v1/towns/:town/*', async (c, next) => {
    const town = c.req.param('town');
    if (town !== '_' && town !== options.gateway.id && town !== options.gateway.name) throw notFound('town', town);
    await next();
  });
  app.use('/api/*', limitBody());
  if (options.turns !== undefined) app.use('/api/*', sameAnswer(options.turns, options.clock));
  app.use('/api/*', refuseUnkept(app));
  registerTown(app, options);
  registerRigs(app, options);
  registerAgents(app, options);
  registerBeads(app, options);
  registerDiff(app, options);
  registerConvoys(app, options);
  registerEscalations(app, options);
  registerMoney(app, options);
  registerAgentCalls(app, options);
  registerRunnerCalls(app, options);
  registerRunners(app, options);
  registerTalk(app, options);
  registerAgentTalk(app, options);
  registerMolecules(app, options);
  registerOwnEscalations(app, options);
  registerOwnWork(app, options);
  registerSteering(app, options);
  registerSearch(app, options);
  registerStream(app, options);
  registerSignIn(app, options, options.web);
  registerMayor(app, options);
  registerMayorSession(app, options);
  registerTools(app, options);
  if (options.settings !== undefined) registerSettings(app, options.settings);
  if (options.transfer !== undefined) registerTransfer(app, options.transfer);
  if (options.web !== undefined) registerWeb(app, options, options.web);
  return app;
}

/** Errors: `runner_away`. */
const transcriptOf =
  ({ transcript }: AppOptions): AppOptions['transcript'] =>
  (attempt, from, waitMs) =>
    askedOf(
      {
        whom: `The runner that has the output of ${attempt}`,
        next: 'See its attempts with "gt bead show".',
        look: 'gt runner list',
      },
      () => transcript(attempt, from, waitMs),
    );

function registerHealth(app: App, options: AppOptions): void {
  app.get('/livez', (c) => c.json({ status: 'ok' }));
  // Degraded serves, so it is ready; but whoever watches health should see that something it needs is down.
  const answer = async (c: Context<AppEnv>, whenDegraded: 200 | 503): Promise<Response> => {
    if (!options.ready()) return c.json({ status: 'unavailable' }, 503);
    const isDown = (await options.gateway.health()).some((item) => item.state === 'down');
    return isDown ? c.json({ status: 'degraded' }, whenDegraded) : c.json({ status: 'ok' });
  };
  app.get('/readyz', (c) => answer(c, 200));
  app.get('/healthz', (c) => answer(c, 503));
}

/** Tools over MCP. Loaded when somebody asks for them: a town that starts again is not kept waiting. */
function registerTools(app: App, options: AppOptions): void {
  let tools: Promise<(request: Request) => Promise<Response>> | null = null;
  const load = async (): Promise<(request: Request) => Promise<Response>> => {
    const { toolsOverHttp } = await import('./mcp/http.ts');
    const principalOf = (request: Request): Promise<Principal> => whoCalls(request, options);
    return toolsOverHttp({ fetch: (request) => app.fetch(request), principalOf, bodyBytesMax: BODY_BYTES_MAX });
  };
  app.all('/mcp', async (c) => {
    tools ??= load();
    return (await tools)(c.req.raw);
  });
}

function registerSecurity(app: App): void {
  const bearer = (description: string) => ({ type: 'http', scheme: 'bearer', description }) as const;
  app.openAPIRegistry.registerComponent('securitySchemes', 'owner', bearer('The owner token of the town'));
  app.openAPIRegistry.registerComponent('securitySchemes', 'runner', bearer('The secret of the runner'));
  app.openAPIRegistry.registerComponent('securitySchemes', 'agent', bearer('The capability of one attempt'));
  app.openAPIRegistry.registerComponent('securitySchemes', 'mayor', bearer('The capability of a session of the mayor'));
  app.doc31('/openapi.json', { openapi: '3.1.0', info: { title: 'Gas Town', version: '1' } });
}

function limitBody(): ReturnType<typeof bodyLimit> {
  const onError = (): never => {
    throw usage('body_too_large', 'The request body is too large.', `Send at most ${String(BODY_BYTES_MAX)} bytes.`);
  };
  const ordinary = bodyLimit({ maxSize: BODY_BYTES_MAX, onError });
  const facts = bodyLimit({ maxSize: FACTS_BODY_BYTES_MAX, onError });
  const transfer = bodyLimit({ maxSize: TRANSFER_BODY_BYTES_MAX, onError });
  return (c, next) => {
    if (c.req.path.endsWith('/runner/facts')) return facts(c, next);
    return c.req.path.endsWith('/transfer') ? transfer(c, next) : ordinary(c, next);
  };
}

const refuseInvalid: Hook<unknown, AppEnv, string, unknown> = (result) => {
  if (result.success) return;
  const issue = result.error.issues[0];
  const field = issue === undefined ? '' : issue.path.map(String).join('.');
  if (issue?.code === 'unrecognized_keys') {
    const unknown = [field, issue.keys[0] ?? ''].filter((part) => part !== '').join('.');
    throw usage(
      'unknown_field',
      `There is no field ${JSON.stringify(unknown)}.`,
      'See /openapi.json for the fields of this call.',
      unknown,
    );
  }
  throw usage(
    'bad_field',
    `${field === '' ? 'The request' : JSON.stringify(field)} is not valid: ${issue?.message ?? 'unknown reason'}.`,
    'Correct that field and send it again.',
    field,
  );
};

function answerProblem(c: Context<AppEnv>, error: unknown, log: Log): Response {
  const { problem, status } = toProblem(asTownError(error));
  if (status === 500)
    log.error('request failed', {
      method: c.req.method,
      route: c.req.routePath,
      cause: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  return c.body(JSON.stringify(problem), status, { 'content-type': 'application/problem+json' });
}

/** Errors that Hono itself makes for a request that can't be read. */
function asTownError(error: unknown): unknown {
  if (error instanceof TownError) return error;
  const status = error instanceof Error && 'status' in error ? error.status : null;
  if (status === 415)
    return usage(
      'bad_content_type',
      'The body is not declared as JSON.',
      'Send one JSON object with content-type application/json.',
      'content-type',
    );
  return status === 400
    ? usage('bad_json', 'The body is not valid JSON.', 'Send one JSON object with content-type application/json.')
    : error;
}
