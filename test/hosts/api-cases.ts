/** The HTTP application: the same requests to both hosts, which must answer alike but for ids, times and cursors. */
import type { CaseResult } from './case.ts';

export type Fetch = (request: Request) => Promise<Response>;

export interface Secrets {
  readonly owner: string;
  readonly runner: string;
}

interface Ask {
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `$bead` stands for the id that the first bead got. */
  readonly path: string;
  readonly body?: unknown;
  readonly as?: keyof Secrets | 'nobody' | 'stranger';
  readonly key?: string;
  /** Not below the town. */
  readonly bare?: true;
  readonly status: number;
}

const RIG = { name: 'api', url: 'https://git.example.org/api.git', polecats_max: 2 };
const BEAD = { rig: 'api', title: 'one' };

const FILE = `# Kept word for word.
[town]
name = "hosts"
polecats_max = 5

[prices."claude"]
input = 3
output = 15

[budgets.town]
usd = 12.5
soft_tokens = 1000

[budgets."rig:api"]
usd = 2

[mayor]
command = "talk"
wall_clock = "10m"

[escalation.webhook]
url = "https://hooks.example.org/gt"
secret = "env:HOOK_SECRET"

[defaults]
wall_clock = "3h"
account = "team"

[rigs.api]
url = "https://git.example.org/api.git"
prefix = "api"
gates.lint = "make lint"
gates.test = { run = "make test", timeout = "5m" }
polecats_per_runtime = { script = 2 }
`;

const ASKS: readonly Ask[] = [
  { name: 'lives', method: 'GET', path: '/livez', bare: true, as: 'nobody', status: 200 },
  { name: 'is ready', method: 'GET', path: '/readyz', bare: true, as: 'nobody', status: 200 },
  { name: 'refuses without a token', method: 'GET', path: '/status', as: 'nobody', status: 401 },
  { name: 'refuses a wrong token', method: 'GET', path: '/status', as: 'stranger', status: 401 },
  { name: 'refuses the runner where people speak', method: 'GET', path: '/status', as: 'runner', status: 403 },
  { name: 'refuses people where the runner speaks', method: 'POST', path: '/runner/facts', body: {}, status: 403 },
  { name: 'knows no such path', method: 'GET', path: '/nothing', status: 404 },
  { name: 'adds a rig', method: 'POST', path: '/rigs', body: RIG, status: 200 },
  { name: 'adds a rig once', method: 'POST', path: '/rigs', body: RIG, status: 409 },
  { name: 'lists rigs', method: 'GET', path: '/rigs', status: 200 },
  { name: 'creates a bead', method: 'POST', path: '/beads', body: BEAD, key: 'k1', status: 200 },
  { name: 'creates it once per key', method: 'POST', path: '/beads', body: BEAD, key: 'k1', status: 200 },
  { name: 'refuses an unknown field', method: 'POST', path: '/beads', body: { ...BEAD, colour: 'red' }, status: 400 },
  { name: 'refuses a bead of no rig', method: 'POST', path: '/beads', body: { ...BEAD, rig: 'web' }, status: 404 },
  { name: 'refuses a body that is no JSON', method: 'POST', path: '/beads', body: '{', status: 400 },
  { name: 'shows a bead', method: 'GET', path: '/beads/$bead', status: 200 },
  { name: 'shows no such bead', method: 'GET', path: '/beads/api-zzzzz', status: 404 },
  { name: 'lists beads', method: 'GET', path: '/beads?limit=1', status: 200 },
  { name: 'refuses a cursor from elsewhere', method: 'GET', path: '/beads?after=zz', status: 400 },
  { name: 'says why', method: 'GET', path: '/why/$bead', status: 200 },
  { name: 'says why of the town', method: 'GET', path: '/why/_', status: 200 },
  { name: 'lists what needs a person', method: 'GET', path: '/attention', status: 200 },
  { name: 'lists escalations', method: 'GET', path: '/escalations', status: 200 },
  { name: 'lists convoys', method: 'GET', path: '/convoys', status: 200 },
  { name: 'lists budgets', method: 'GET', path: '/budgets', status: 200 },
  { name: 'lists runners', method: 'GET', path: '/runners', status: 200 },
  { name: 'shows the file', method: 'GET', path: '/settings', status: 200 },
  ...[
    { key: 'rigs.api.gates.test', value: 'npm test' },
    { key: 'rigs.api.wall_clock', value: '2h' },
    { key: 'rigs.api.reviews_waiting_max', value: 3 },
    { key: 'town.polecats_max', value: 7 },
    { key: 'escalation.webhook.url', value: 'ftp://example.org' },
    { key: 'escalation.email.to', value: 'ops' },
    { key: 'escalation.desktop', value: true },
    { key: 'rigs.api.polecats_max', value: 'many' },
    { key: 'rigs.api.polecat_max', value: 1 },
    { key: 'rigs.api.polecats_max', value: null },
    { key: 'mayor.runtime', value: 'script' },
    { key: 'rigs.api.url', value: 'https://glpat-Zx9cVb8nM7aSdF6gH5jK@gitlab.com/a/b' },
  ].map((change, index): Ask => ({
    name: `sets ${change.key} to ${String(change.value)}`,
    method: 'POST',
    path: '/settings',
    body: { changes: [change] },
    status: [200, 200, 200, 200, 422, 422, 422, 422, 400, 200, 422, 400][index] ?? 0,
  })),
  { name: 'takes a whole file', method: 'PUT', path: '/settings', body: { text: FILE }, status: 200 },
  { name: 'refuses a file that is no TOML', method: 'PUT', path: '/settings', body: { text: '[' }, status: 422 },
  {
    name: 'refuses a budget of no rig',
    method: 'PUT',
    path: '/settings',
    body: { text: '[budgets."rig:no"]\nusd = 1\n' },
    status: 422,
  },
  { name: 'has the rigs of the file', method: 'GET', path: '/rigs', status: 200 },
  { name: 'has the budgets of the file', method: 'GET', path: '/budgets', status: 200 },
  { name: 'has the mayor of the file', method: 'GET', path: '/mayor', status: 200 },
  {
    name: 'changes a wall clock',
    method: 'POST',
    path: '/rigs/api/config',
    body: { wall_clock: '90m', polecats_max: 3 },
    status: 200,
  },
  {
    name: 'gives a rig of a reserved name another prefix',
    method: 'POST',
    path: '/rigs',
    body: { name: 'hq', url: 'https://git.example.org/hq.git' },
    status: 200,
  },
  { name: 'parks a rig', method: 'POST', path: '/rigs/api/park', body: {}, status: 200 },
];

const idempotency = (key: string | undefined): Record<string, string> =>
  key === undefined ? {} : { 'idempotency-key': key };

export interface Told {
  readonly name: string;
  readonly status: number;
  readonly body: string;
}

/** Sends all of them in order. */
export async function askAllOf(send: Fetch, base: string, secrets: Secrets): Promise<readonly Told[]> {
  const told: Told[] = [];
  let bead = '';
  for (const ask of ASKS) {
    const root = ask.bare === true ? '' : '/api/v1/towns/_';
    const token = ask.as === 'stranger' ? 'x'.repeat(32) : ask.as === 'nobody' ? null : secrets[ask.as ?? 'owner'];
    const response = await send(
      new Request(`${base}${root}${ask.path.replace('$bead', bead)}`, {
        method: ask.method,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          'content-type': 'application/json',
          ...idempotency(ask.key),
        },
        ...(ask.body === undefined ? {} : { body: typeof ask.body === 'string' ? ask.body : JSON.stringify(ask.body) }),
      }),
    );
    const body = await response.text();
    if (ask.name === 'creates a bead') bead = idIn(body);
    told.push({
      name: ask.name,
      status: response.status,
      body: bead === '' ? plain(body) : plain(body).replaceAll(bead, '$bead'),
    });
  }
  return told;
}

function idIn(body: string): string {
  const id: unknown = Reflect.get(JSON.parse(body) as object, 'id');
  return typeof id === 'string' ? id : '';
}

/** Without what each host may have of its own: times and ids. */
const plain = (body: string): string =>
  body
    .replaceAll(/\b1\d{12}\b/g, '0')
    .replaceAll(/\bat-[0-9a-z]+\b/g, 'at-x')
    .replaceAll(/"next":"[0-9a-f]+"/g, '"next":"cursor"');

export const statusResults = (told: readonly Told[]): readonly CaseResult[] =>
  told.map(({ name, status, body }, index) => ({
    name,
    error: status === ASKS[index]?.status ? null : `${String(status)}: ${body.slice(0, 300)}`,
  }));

export const sameResults = (here: readonly Told[], there: readonly Told[]): readonly CaseResult[] =>
  here.map(({ name, body }, index) => {
    const other = there[index]?.body ?? '';
    const isSame = comparable(body) === comparable(other);
    return { name: `${name}, in the same words`, error: isSame ? null : `node: ${body}\n  workerd: ${other}` };
  });

/** One host has a runner beside it, so only the other says that the mayor has none. */
const comparable = (body: string): string => body.replace(/"no_runner":(?:null|"[^"]*")/, '"no_runner":…');
