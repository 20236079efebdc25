/** The tools over MCP as real clients use them: of an agent, the mayor and a person, against a real town. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOOLS } from '../../src/core/tools.ts';
import { until } from './cli-support.ts';

const GT = join(import.meta.dirname, '../../gt');
const WAIT_MS = 60_000;
/** Of the two eras of the protocol. */
const ERAS = ['legacy', 'auto'] as const;

let folder = '';
let town = '';
const at = (name: string): string => join(folder, name);
const gt = (...args: readonly string[]): string =>
  execFileSync(GT, [...args, '--town', town], { encoding: 'utf8', stdio: 'pipe' });
const json = <T>(...args: readonly string[]): T => JSON.parse(gt(...args, '--json')) as T;
const git = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-C', cwd, ...args], { encoding: 'utf8', stdio: 'pipe' });

interface Bead {
  readonly id: string;
  readonly status: string;
  readonly title: string;
  readonly hold: string | null;
  readonly origin: string;
  readonly parent_id: string | null;
  readonly close_reason: string | null;
}

/** Runs until the test lets it go; its surroundings are the test's. */
const hold = (name: string): string =>
  `env > ${at(`${name}.tmp`)} && mv ${at(`${name}.tmp`)} ${at(`${name}.env`)}\nuntil [ -e ${at(`${name}.go`)} ]; do sleep 0.05; done`;

function envOf(name: string): Record<string, string> {
  const lines = readFileSync(at(`${name}.env`), 'utf8').split('\n');
  return Object.fromEntries(
    lines
      .filter((line) => /^[A-Z_]+=/.test(line))
      .map((line) => [line.split('=')[0] ?? '', line.replace(/^[^=]*=/, '')]),
  );
}

const letGo = (name: string): void => writeFileSync(at(`${name}.go`), '');

/** Slings a bead whose agent waits, and answers its id and what its agent sees. */
async function agentAtWork(name: string): Promise<{ readonly bead: string; readonly env: Record<string, string> }> {
  writeFileSync(at(`${name}.md`), `\`\`\`gt-script\n${hold(name)}\n\`\`\`\n`);
  gt('sling', `work of ${name}`, '--rig', 'app', '--body-file', at(`${name}.md`));
  await until(() => (existsSync(at(`${name}.env`)) ? true : null), `the agent of ${name}`, WAIT_MS);
  const env = envOf(name);
  return { bead: env['GT_BEAD'] ?? '', env };
}

interface Said {
  readonly isError: boolean;
  readonly text: string;
  readonly code: unknown;
}

class Tools {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async names(): Promise<readonly string[]> {
    return (await this.#client.listTools()).tools.map((tool) => tool.name);
  }

  async call(name: string, input: Record<string, unknown> = {}): Promise<Said> {
    const result = await this.#client.callTool({ name, arguments: input }, { timeout: WAIT_MS });
    const text = result.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
    const problem = result.structuredContent as { error?: { code?: unknown } } | undefined;
    return { isError: result.isError === true, text, code: problem?.error?.code };
  }

  async json<T>(name: string, input: Record<string, unknown> = {}): Promise<T> {
    const said = await this.call(name, input);
    if (said.isError) throw new Error(`${name}: ${said.text}`);
    return JSON.parse(said.text) as T;
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/** A real client on `gt mcp`, started with these surroundings. */
async function stdio(
  env: Record<string, string>,
  era: (typeof ERAS)[number] = 'legacy',
  cwd = env['PWD'] ?? town,
): Promise<Tools> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: era } });
  await client.connect(new StdioClientTransport({ command: GT, args: ['mcp'], env, cwd, stderr: 'ignore' }));
  return new Tools(client);
}

const endpoint = (): string => `${json<{ url: string }>('daemon', 'status').url}/mcp`;
const secrets = (): Record<string, string> =>
  JSON.parse(readFileSync(join(town, '.gastown/secrets.json'), 'utf8')) as Record<string, string>;

async function http(token: string, era: (typeof ERAS)[number]): Promise<Tools> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: era } });
  const headers = { authorization: `Bearer ${token}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(endpoint()), { requestInit: { headers } }));
  return new Tools(client);
}

const PERSON = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
const toolsOf = (who: 'agent' | 'mayor'): readonly string[] =>
  TOOLS.filter(({ agent, mayor }) =>
    who === 'mayor' ? mayor !== null : agent !== null && agent !== 'request_changes' && agent !== 'review_approve',
  ).map((tool) => tool.name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gt-mcp-'));
  town = at('town');
  mkdirSync(at('seed'));
  git(at('seed'), 'init', '-q', '-b', 'main');
  git(at('seed'), '-c', 'user.name=T', '-c', 'user.email=t@example.org', 'commit', '-q', '--allow-empty', '-m', 's');
  execFileSync('git', ['clone', '-q', '--bare', at('seed'), at('app.git')]);
  execFileSync(GT, ['init', town], { stdio: 'pipe' });
  writeFileSync(
    at('mayor.sh'),
    `cat > ${at('mayor.prompt')}\ngrep -q '^Message ' ${at('mayor.prompt')} || exit 0\n${hold('mayor')}\n`,
  );
  appendFileSync(join(town, 'gastown.toml'), `\n[mayor]\ncommand = "sh ${at('mayor.sh')}"\n`);
  gt('rig', 'add', 'app', at('app.git'));
  gt('up');
}, WAIT_MS);

afterAll(() => {
  gt('down');
  rmSync(folder, { recursive: true, force: true });
}, WAIT_MS);

describe('the tools of an agent', () => {
  it.each(ERAS)('are those of the table, and work (%s)', async (era) => {
    const { bead, env } = await agentAtWork(`work-${era}`);
    const tools = await stdio(env, era);
    expect(await tools.names()).toEqual(toolsOf('agent'));
    expect((await tools.call('gt_prime')).text).toMatch(/^You are app\/polecats\//);
    expect(await tools.json('gt_hook')).toMatchObject({ bead: { id: bead } });
    expect(await tools.json('gt_bead_show')).toMatchObject({ id: bead, status: 'in_progress' });
    expect(await tools.json('gt_status')).toMatchObject({ bead: { id: bead }, unread_mail: 0, open_steps: null });
    expect(await tools.json('gt_checkpoint', { data: { step: 1 } })).toEqual({ saved: true });
    expect(await tools.json('gt_status')).toMatchObject({ has_checkpoint: true });
    expect(await tools.call('gt_mol_current')).toMatchObject({ isError: true, code: 'no_molecule' });
    expect((await tools.call('gt_mail_check')).text).toBe('No new mail.');
    gt('mail', 'send', env['GT_AGENT'] ?? '', 'Use tabs');
    expect((await tools.call('gt_mail_check')).text).toContain('Use tabs');
    expect(await tools.json('gt_mail_send', { to: 'human/', subject: `from ${era}` })).toMatchObject({
      status: 'sent',
    });
    expect(await tools.json('gt_escalate', { message: 'No key' })).toEqual({ escalated: true });
    const made = await tools.json<Bead>('gt_bead_create', { title: `follow up ${era}`, body: 'Because.' });
    expect(made).toMatchObject({ hold: 'staged', origin: 'agent', parent_id: bead, status: 'open' });
    expect((await tools.json<Bead>('gt_bead_create', { title: `follow up ${era}`, body: 'Because.' })).id).toBe(
      made.id,
    );
    await tools.close();
    letGo(`work-${era}`);
  });

  it('refuses what is not its own, wrong input and unknown tools, and nothing changes', async () => {
    const { env } = await agentAtWork('rights');
    const other = json<Bead>('bead', 'create', 'not yours', '--rig', 'app');
    const tools = await stdio(env);
    const rows = (): unknown => [json('bead', 'list'), json('convoy', 'list'), json('mail', 'inbox', '--all')];
    const before = rows();
    for (const [name, input, code] of [
      ['gt_sling', { bead: other.id }, 'tool_not_allowed'],
      ['gt_list_beads', {}, 'tool_not_allowed'],
      ['gt_request_changes', { comment: 'x' }, 'tool_not_allowed'],
      ['gt_review_approve', {}, 'tool_not_allowed'],
      ['gt_mayor_reply', { text: 'x' }, 'tool_not_allowed'],
      ['gt_drop_table', {}, 'no_such_tool'],
      ['x'.repeat(10_000), {}, 'no_such_tool'],
      ['gt_bead_show', { id: other.id }, 'not_your_bead'],
      ['gt_bead_show', { id: '../../beads' }, 'bad_bead_id'],
      ['gt_bead_show', { id: 7 }, 'bad_field'],
      ['gt_bead_create', { title: 'x', rig: 'app' }, 'not_for_agents'],
      ['gt_bead_create', { title: 'x\u0000' }, 'bad_field'],
      ['gt_bead_create', { title: 'x', sling: true }, 'unknown_field'],
      ['gt_bead_create', {}, 'bad_field'],
      ['gt_nudge', { agent: env['GT_AGENT'], text: 'me' }, 'own_nudge'],
      ['gt_nudge', { agent: 'app/polecats/nobody', text: 'x' }, 'agent_not_found'],
      ['gt_checkpoint', { data: { big: 'x'.repeat(70_000) } }, 'bad_field'],
      ['gt_checkpoint', { data: 'text' }, 'bad_field'],
      ['gt_mail_send', { to: 'human/', subject: 'x', from: 'human/' }, 'unknown_field'],
      ['gt_wait', {}, 'bad_field'],
      ['gt_done', { commit: 'a', no_change: 'b' }, 'commit_and_no_change'],
      ['gt_done', {}, 'no_commits'],
    ] as const) {
      const said = await tools.call(name, input);
      expect([name.slice(0, 20), said.isError, said.code]).toEqual([name.slice(0, 20), true, code]);
      // An error says what happened, then what to do.
      expect(said.text.split('\n').length).toBeGreaterThan(1);
    }
    expect(rows()).toEqual(before);
    await tools.close();

    const claims = (env['GT_TOKEN'] ?? '').split('.');
    const forged = { ...(JSON.parse(Buffer.from(claims[1] ?? '', 'base64url').toString()) as object), bead: other.id };
    const token = [claims[0], Buffer.from(JSON.stringify(forged)).toString('base64url'), claims[2]].join('.');
    const liar = await stdio({ ...env, GT_TOKEN: token });
    expect(await liar.call('gt_bead_show', { id: other.id })).toMatchObject({ isError: true, code: 'bad_token' });
    await liar.close();
    letGo('rights');
  });

  it('go on when the daemon is killed: done counts, and the work is merged', async () => {
    const { bead, env } = await agentAtWork('killed');
    const tools = await stdio(env);
    expect(await tools.json('gt_hook')).toMatchObject({ bead: { id: bead } });
    const tree = env['PWD'] ?? '';
    writeFileSync(join(tree, 'made.txt'), 'by tools\n');
    process.kill(json<{ pid: number }>('daemon', 'status').pid, 'SIGKILL');
    expect(await tools.call('gt_status')).toMatchObject({ isError: true, code: 'brain_away' });
    const verdict = tools.json<{ verdict: string }>('gt_done', { commit: 'Made by tools', summary: 'made' });
    await until(() => (existsSync(join(env['GT_STATE_DIR'] ?? '', 'done.json')) ? true : null), 'the intent');
    gt('up');
    expect(await verdict).toMatchObject({ verdict: 'accepted' });
    const ended = await until(
      () => {
        const now = json<Bead>('bead', 'show', bead);
        return now.status === 'closed' ? now : null;
      },
      'the merge',
      WAIT_MS,
    );
    expect(ended.close_reason).toBe('merged');
    expect(git(at('app.git'), 'show', 'main:made.txt')).toBe('by tools\n');
    const late = await tools.call('gt_status');
    expect([late.isError, late.code]).toEqual([true, 'superseded']);
    await tools.close();
    letGo('killed');
  });

  it('survive garbage on their input', async () => {
    const { env } = await agentAtWork('garbage');
    const lines = [
      'not json',
      '[]',
      '{"jsonrpc":"2.0","id":1}',
      '{"jsonrpc":"1.0","id":1,"method":"tools/list"}',
      '{"jsonrpc":"2.0","id":2,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}',
      '{"jsonrpc":"2.0","method":"notifications/initialized"}',
      `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"gt_hook","arguments":[1]}}`,
      `{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"__proto__","arguments":{}}}`,
      `\u0000\u0001\uFFFD`,
      `{"jsonrpc":"2.0","id":5,"method":"tools/list","params":{}}`,
    ];
    const server = spawn(GT, ['mcp'], { env, cwd: env['PWD'], stdio: ['pipe', 'pipe', 'ignore'] });
    let out = '';
    server.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
    server.stdin.write(`${lines.join('\n')}\n`);
    await until(() => (out.includes('"id":5') && out.endsWith('\n') ? true : null), 'the last answer', WAIT_MS);
    const exit = new Promise((resolve) => server.once('exit', resolve));
    server.stdin.end();
    expect(await exit).toBe(0);
    const answers = out
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { id?: number; result?: { tools?: unknown[] }; error?: unknown });
    expect(answers.find((one) => one.id === 5)?.result?.tools).toHaveLength(toolsOf('agent').length);
    expect(answers.find((one) => one.id === 3)?.error).toBeDefined();
    expect(JSON.stringify(answers.find((one) => one.id === 4))).toContain('no_such_tool');
    letGo('garbage');
  });
});

describe('the tools of a person', () => {
  it.each(ERAS)('steer the town (%s)', async (era) => {
    const tools = await stdio(PERSON, era, town);
    expect(await tools.names()).toEqual(TOOLS.filter((tool) => tool.owner).map((tool) => tool.name));
    expect(await tools.json('gt_status')).toMatchObject({ rigs: [{ id: 'app' }] });
    expect(await tools.json('gt_list_rigs')).toMatchObject({ items: [{ id: 'app' }] });
    const plan = {
      title: `plan ${era}`,
      staged: true,
      tasks: [
        { rig: 'app', title: `a ${era}` },
        { rig: 'app', title: `b ${era}`, depends_on: [0] },
      ],
    };
    const convoy = await tools.json<{ id: string; beads: { id: string }[] }>('gt_sling_batch', plan);
    const first = convoy.beads[0]?.id ?? '';
    expect(await tools.json('gt_convoy_status', { id: convoy.id })).toMatchObject({ id: convoy.id });
    expect(await tools.json('gt_bead_update', { id: first, priority: 'high' })).toMatchObject({ priority: 'high' });
    expect(await tools.json('gt_list_beads', { convoy: convoy.id })).toMatchObject({ items: [{}, {}] });
    expect(await tools.json('gt_why', { id: first })).toMatchObject({ id: first });
    expect((await tools.call('gt_bead_update', { id: first })).code).toBe('bad_field');
    expect((await tools.call('gt_why', { id: 'nothing' })).isError).toBe(true);
    expect((await tools.call('gt_done')).code).toBe('tool_not_allowed');
    expect((await tools.call('gt_review_approve', { id: first })).code).toBe('not_in_review');
    expect((await tools.call('gt_request_changes', { id: first, comment: 'x' })).code).toBe('not_in_review');
    expect(await tools.json('gt_convoy_close', { id: convoy.id, note: 'test' })).toMatchObject({ status: 'cancelled' });
    await tools.close();
  });
});

describe('the tools of the mayor', () => {
  it('answer and give out work, the same words once', async () => {
    gt('mayor', 'message', 'hello');
    await until(() => (existsSync(at('mayor.env')) ? true : null), 'the mayor', WAIT_MS);
    const tools = await stdio(envOf('mayor'));
    expect(await tools.names()).toEqual(toolsOf('mayor'));
    expect((await tools.call('gt_prime')).text).toMatch(/^You are the mayor/);
    const order = { title: 'by the mayor', rig: 'app' };
    const bead = await tools.json<Bead>('gt_bead_create', order);
    expect(bead).toMatchObject({ origin: 'agent', hold: 'staged' });
    expect((await tools.json<Bead>('gt_bead_create', order)).id).toBe(bead.id);
    expect((await tools.call('gt_hook')).code).toBe('tool_not_allowed');
    expect(await tools.json('gt_mayor_reply', { text: 'Done.' })).toMatchObject({ status: 'answered' });
    letGo('mayor');
    await tools.close();
  });
});

describe('the tools over HTTP', () => {
  it.each(ERAS)('are those of the credential (%s)', async (era) => {
    const { bead, env } = await agentAtWork(`http-${era}`);
    const agent = await http(env['GT_TOKEN'] ?? '', era);
    expect(await agent.names()).toEqual(toolsOf('agent').filter((name) => name !== 'gt_done'));
    expect(await agent.json('gt_hook')).toMatchObject({ bead: { id: bead } });
    expect(await agent.json('gt_checkpoint', { data: { by: 'http' } })).toEqual({ saved: true });
    expect((await agent.call('gt_done', { no_change: 'x' })).code).toBe('not_here');
    expect((await agent.call('gt_sling', { bead })).code).toBe('tool_not_allowed');
    expect((await agent.call('gt_bead_show', { id: 'app-00000' })).code).toBe('not_your_bead');
    await agent.close();

    const owner = await http(secrets()['owner'] ?? '', era);
    expect(await owner.names()).toEqual(TOOLS.filter((tool) => tool.owner).map((tool) => tool.name));
    const made = await owner.json<Bead>('gt_bead_create', { title: `over http ${era}`, rig: 'app' });
    expect(made).toMatchObject({ origin: 'human', hold: 'staged' });
    expect((await owner.call('gt_bead_create', { title: 'x', rig: 'nowhere' })).code).toBe('rig_not_found');
    await owner.close();
    letGo(`http-${era}`);
  });

  it('are closed without a credential, to runners, to other names and to floods', async () => {
    const ask = (headers: Record<string, string>, body = '{}', method = 'POST'): Promise<Response> =>
      fetch(endpoint(), {
        method,
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
        ...(method === 'POST' ? { body } : {}),
      });
    const codeOf = async (answer: Response): Promise<unknown> => [
      answer.status,
      ((await answer.json()) as { code?: unknown }).code,
    ];
    const owner = { authorization: `Bearer ${secrets()['owner'] ?? ''}` };
    for (const method of ['POST', 'GET', 'DELETE'])
      expect(await codeOf(await ask({}, '{}', method))).toEqual([401, 'no_credential']);
    expect(await codeOf(await ask({ authorization: 'Bearer no' }))).toEqual([401, 'bad_credential']);
    expect(await codeOf(await ask({ ...owner, origin: 'http://evil.example' }))).toEqual([403, 'origin_not_allowed']);
    const list = '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}';
    const runner = await ask({ authorization: `Bearer ${secrets()['brainCalls'] ?? ''}` }, list);
    expect(await codeOf(runner)).toEqual([403, 'wrong_credential']);
    expect((await ask(owner, 'not json')).status).toBe(400);
    expect((await ask(owner, list)).status).toBe(200);
    // It is refused before it was read, so the sender may find the line cut instead of the answer.
    const flood = await ask(owner, `{"x":"${'y'.repeat(2_000_000)}"}`).then(
      (answer) => answer.status,
      () => 413,
    );
    expect(flood).toBe(413);
  });
});

describe('gt mcp install', () => {
  it.each(['claude', 'codex', 'opencode', 'kilo', 'gemini', 'qwen', 'copilot', 'cursor'])(
    '%s: keeps what is there, writes once, and what it writes works',
    async (client) => {
      const home = at(`home-${client}`);
      mkdirSync(home, { recursive: true });
      const env = { ...PERSON, HOME: home };
      const run = (...args: readonly string[]) =>
        spawnSync(GT, ['mcp', 'install', client, '--town', town, '--json', ...args], { env, encoding: 'utf8' });
      const { path } = JSON.parse(run('--print').stdout) as { path: string };
      expect(path.startsWith(home)).toBe(true);
      expect(existsSync(path)).toBe(false);
      if (client === 'copilot') {
        // Seen: of a project it reads no file with the name of that in the home.
        const project = JSON.parse(run('--print', '--dir', home).stdout) as { path: string };
        expect(project.path).toBe(join(home, '.github', 'mcp.json'));
      }
      mkdirSync(dirname(path), { recursive: true });
      const isToml = path.endsWith('.toml');
      const before = isToml ? '# mine\nmodel = "x"\n' : '{"theme":"dark"}';
      writeFileSync(path, before);
      expect(JSON.parse(run().stdout)).toEqual({ path, status: 'written', entry: null });
      const text = readFileSync(path, 'utf8');
      expect(text).toContain(isToml ? before : '"theme": "dark"');
      expect(JSON.parse(run().stdout)).toMatchObject({ status: 'unchanged' });
      expect(readFileSync(path, 'utf8')).toBe(text);
      if (client !== 'claude' && client !== 'codex') return;
      writeFileSync(path, text.replace('--town', '--elsewhere'));
      expect(run()).toMatchObject({ status: 5, stderr: expect.stringContaining('name_taken') });
      expect(run('--name', 'second')).toMatchObject({ status: 0 });
      writeFileSync(path, '{{{ broken');
      expect(run()).toMatchObject({ status: 3, stderr: expect.stringContaining('client_config_unreadable') });
      expect(readFileSync(path, 'utf8')).toBe('{{{ broken');

      if (client === 'codex') {
        const inline = 'mcp_servers = { mine = { command = "x" } }\n';
        writeFileSync(path, inline);
        const refused = run();
        expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining('client_config_unreadable') });
        expect(refused.stderr).toContain('--print');
        expect(readFileSync(path, 'utf8')).toBe(inline);
        expect(run('--dir', at('nowhere'))).toMatchObject({ status: 2, stderr: expect.stringContaining('no_folder') });
      }
      if (client !== 'claude') return;
      const { command, args } = (JSON.parse(text) as { mcpServers: { gastown: { command: string; args: string[] } } })
        .mcpServers.gastown;
      const real = new Client({ name: 'test', version: '1' });
      await real.connect(new StdioClientTransport({ command, args, env, cwd: '/', stderr: 'ignore' }));
      expect((await real.listTools()).tools).toHaveLength(TOOLS.filter((tool) => tool.owner).length);
      await real.close();
    },
  );

  it('keeps a project file out of git, and leaves a tracked one alone', () => {
    const run = (client: string) =>
      spawnSync(GT, ['mcp', 'install', client, '--town', town, '--dir', at('seed')], { env: PERSON, encoding: 'utf8' });
    expect(run('claude').status).toBe(0);
    expect(existsSync(at('seed/.mcp.json'))).toBe(true);
    expect(git(at('seed'), 'status', '--porcelain')).toBe('');
    writeFileSync(at('seed/opencode.json'), '{}');
    git(at('seed'), 'add', 'opencode.json');
    expect(run('opencode')).toMatchObject({ status: 5, stderr: expect.stringContaining('part of the repository') });
    expect(readFileSync(at('seed/opencode.json'), 'utf8')).toBe('{}');
    expect(run('nothing').status).toBe(2);
  });
});
