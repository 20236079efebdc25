/** The mayor as a real process with a scripted model: it does what a message says, and answers with what came of it. */
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isAlive, until } from './cli-support.ts';
import { GT, oneRigTown, WAIT_MS } from './one-rig-town.ts';

interface Message {
  readonly id: number;
  readonly status: string;
  readonly text: string;
  readonly reply: string | null;
}
const log = (): readonly Message[] => json<{ items: Message[] }>('mayor', 'log').items;
const titles = (): readonly string[] =>
  json<{ items: { title: string }[] }>('bead', 'list').items.map(({ title }) => title);

/** Takes each message of its prompt, runs its line "do: …", and answers with the exit code and the output. */
const MODEL = `D=$1
cat > "$D/prompt.$GT_EPOCH"
echo "$GT_EPOCH $GT_SITTING $$" >> "$D/sessions"
for seq in $(sed -n 's/^Message \\([0-9]*\\) from .*/\\1/p' "$D/prompt.$GT_EPOCH"); do
  line=$(sed -n "/^Message $seq from /,\\$p" "$D/prompt.$GT_EPOCH" | sed -n 's/^do: //p' | head -1)
  out=$(eval "$line" 2>&1)
  gt mayor reply --to "$seq" "$? $out"
done
`;

const { town, at, gt, json } = oneRigTown({
  prepare: (made) => {
    writeFileSync(made.at('sessions'), '');
    writeFileSync(made.at('model.sh'), MODEL);
    const mayor = `\n[mayor]\ncommand = "sh ${made.at('model.sh')} ${made.folder}"\n`;
    appendFileSync(join(made.town, 'gastown.toml'), mayor);
  },
});

const sessions = (): readonly (readonly [epoch: number, sitting: number, pid: number])[] =>
  readFileSync(at('sessions'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' ').map(Number) as [number, number, number]);

/** Every row that a call could change, read beside the daemon. */
function rows(): unknown {
  const read = (file: string, ...tables: readonly string[]): unknown => {
    const db = new DatabaseSync(join(town, '.gastown', file), { readOnly: true });
    try {
      return tables.map((table) => db.prepare(`SELECT * FROM ${table}`).all());
    } finally {
      db.close();
    }
  };
  return [
    read('rigs/app.db', 'beads', 'journal', 'agents'),
    read('town.db', 'rigs', 'convoys'),
    read('mayor.db', 'messages'),
  ];
}

describe('the mayor', () => {
  it(
    'looks, gives out work with its own token, answers, and rests; messages make no beads',
    () => {
      expect(gt('mayor', 'message', 'do: gt rig list', '--wait', '50')).toMatch(/^0 [^]*app/);
      expect(titles()).toEqual([]);
      const made = gt('mayor', 'message', 'do: gt bead create "From the mayor" --rig app --json', '--wait', '50');
      expect(JSON.parse(made.slice(2))).toMatchObject({ created_by: 'mayor/', origin: 'agent', status: 'open' });
      expect(gt('mayor', 'status')).toContain('0 messages and 0 mails wait');
    },
    2 * WAIT_MS,
  );

  it(
    'loses and doubles nothing when its process and the daemon are killed in the middle',
    async () => {
      const before = sessions().length;
      const first = `do: gt bead create Once --rig app > /dev/null 2>&1; touch ${at('made')}; until [ -e ${at('go')} ]; do sleep 0.05; done; echo first`;
      gt('mayor', 'message', first);
      await until(() => (existsSync(at('made')) ? true : null), 'the mayor to be in the middle', WAIT_MS);
      gt('mayor', 'message', 'do: echo second');
      process.kill(json<{ pid: number }>('daemon', 'status').pid, 'SIGKILL');
      gt('up');
      gt('mayor', 'message', 'do: echo third');
      const [, sitting, pid] = sessions().at(-1) ?? [0, 0, 0];
      expect(isAlive(pid)).toBe(true);
      expect(sessions()).toHaveLength(before + 1);
      process.kill(pid, 'SIGKILL');
      writeFileSync(at('go'), '');
      await until(
        () => (json<{ failures: number }>('mayor', 'status').failures === 1 ? true : null),
        'its end',
        WAIT_MS,
      );
      gt('mayor', 'start');
      const said = await until(
        () => {
          const items = log().slice(-3);
          return items.every((item) => item.status === 'answered') ? items : null;
        },
        'all answers',
        WAIT_MS,
      );
      expect(said.map((item) => item.reply)).toEqual(['0 first', '0 second', '0 third']);
      expect(log().map((item) => item.id)).toEqual([1, 2, 3, 4, 5]);
      expect(titles().filter((title) => title === 'Once')).toHaveLength(1);
      const later = sessions().slice(before + 1);
      expect(later[0]?.[1]).toBe(sitting);
      const successor = readFileSync(at(`prompt.${String(later[0]?.[0])}`), 'utf8');
      expect(successor).toContain('1 of your sessions ended before these messages were answered');
      expect(successor).not.toContain('Message 4 from');
    },
    3 * WAIT_MS,
  );

  it(
    'may not do what is for people: 6 by the command, 403 over HTTP, and no row changes',
    async () => {
      const commands = [
        'down',
        'daemon stop',
        'rig park app',
        'rig remove app',
        'bead reopen app-00000',
        'mayor message hello',
        'budget list',
      ];
      const tried = `do: for c in ${commands.map((one) => `"${one}"`).join(' ')}; do gt $c > /dev/null 2>&1; printf "$? "; done`;
      const before = rows() as readonly unknown[];
      expect(gt('mayor', 'message', tried, '--wait', '50').trim()).toBe(`0 ${commands.map(() => '6').join(' ')}`);
      expect((rows() as readonly unknown[]).slice(0, 2)).toEqual(before.slice(0, 2));
      gt(
        'mayor',
        'message',
        `do: printf %s "$GT_TOKEN" > ${at('token')}; until [ -e ${at('end')} ]; do sleep 0.05; done`,
      );
      const token = await until(
        () =>
          existsSync(at('token')) && readFileSync(at('token'), 'utf8') !== ''
            ? readFileSync(at('token'), 'utf8')
            : null,
        'its token',
        WAIT_MS,
      );
      const { url } = json<{ url: string }>('daemon', 'status');
      const call = async (method: string, path: string): Promise<number> => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const body = method === 'GET' ? {} : { body: '{}' };
        return (await fetch(`${url}/api/v1/towns/_/${path}`, { method, headers, ...body })).status;
      };
      const bead = json<{ items: { id: string }[] }>('bead', 'list').items[0]?.id ?? '';
      const still = rows();
      for (const [method, path] of [
        ['POST', 'rigs'],
        ['POST', `beads/${bead}/reopen`],
        ['POST', 'mayor/messages'],
        ['POST', 'mayor/stop'],
        ['POST', 'escalations/hq-esc-00000000/resolve'],
        ['POST', 'runner/facts'],
        ['GET', 'agent/hook'],
      ] as const)
        expect([path, await call(method, path)]).toEqual([path, 403]);
      expect(await call('GET', 'status')).toBe(200);
      expect(rows()).toEqual(still);
      writeFileSync(at('end'), '');
      await until(() => (log().at(-1)?.status === 'answered' ? true : null), 'its answer', WAIT_MS);
      await until(
        () => (json<{ attempt: string | null }>('mayor', 'status').attempt === null ? true : null),
        'its end',
        WAIT_MS,
      );
      expect(await call('GET', 'status')).toBe(409);
    },
    2 * WAIT_MS,
  );

  it('stopped by a person keeps its messages until it is started', async () => {
    gt('mayor', 'stop');
    const sent = spawnSync(GT, ['mayor', 'message', 'do: echo later', '--town', town], { encoding: 'utf8' });
    expect([sent.status, sent.stderr]).toEqual([0, expect.stringContaining('The mayor is stopped')]);
    expect(log().at(-1)?.status).toBe('waiting');
    gt('mayor', 'start');
    await until(() => (log().at(-1)?.reply === '0 later' ? true : null), 'its answer', WAIT_MS);
  });

  it(
    'talks live: lines of a pipe are messages, and all answers are waited for',
    () => {
      const talk = (input: string, ...args: readonly string[]) =>
        spawnSync(GT, ['mayor', ...args, '--town', town], { input, encoding: 'utf8', timeout: WAIT_MS });
      const both = talk('do: echo one\n\n  \ndo: echo two\n');
      expect(both.status).toBe(0);
      expect(both.stdout).toContain('do: gt rig list');
      expect(both.stdout).toMatch(/\n\d+ {2}mayor: 0 one\n/);
      expect(both.stdout).toMatch(/\n\d+ {2}mayor: 0 two\n/);
      const lines = talk('do: echo three\n', '--json').stdout.trim().split('\n');
      expect(lines.map((line) => JSON.parse(line) as Message)).toMatchObject([
        { status: 'answered', reply: '0 three' },
      ]);
      expect(talk('', '--json')).toMatchObject({ status: 0, stdout: '' });
    },
    2 * WAIT_MS,
  );

  it(
    'ends a pipe when the town refuses to say what became of a message, instead of asking for ever',
    async () => {
      // A town elsewhere that takes a message and then no longer knows the token, as after a rotation.
      const message = { id: 7, status: 'waiting', from: 'human/', text: 'x', reply: null, sitting: null };
      const elsewhere = createServer((request, response) => {
        const isAsked = request.url?.includes('/mayor/messages/7') === true;
        const mayor = { configured: true, status: 'waiting', attempt: null };
        const page = { items: [], next: null };
        const item = { ...message, created_at: 1, settled_at: null };
        const told = request.method === 'POST' ? item : request.url?.includes('/messages') === true ? page : mayor;
        const refused = { code: 'not_signed_in', detail: 'The token is not known.', next: 'Ask for another.' };
        response.writeHead(isAsked ? 401 : 200, { 'content-type': 'application/json' });
        request.resume().on('end', () => response.end(JSON.stringify(isAsked ? refused : told)));
      });
      await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
      const { port } = elsewhere.address() as AddressInfo;
      writeFileSync(at('token-elsewhere'), 'x'.repeat(43), { mode: 0o600 });
      const place = ['--town', `http://127.0.0.1:${String(port)}`, '--token-file', at('token-elsewhere')];
      const gtMayor = spawn(GT, ['mayor', ...place], { stdio: ['pipe', 'ignore', 'pipe'], timeout: WAIT_MS });
      let error = '';
      gtMayor.stderr.on('data', (text: Buffer) => (error += text.toString()));
      gtMayor.stdin.end('anybody there?\n');
      const code = await new Promise((resolve) => gtMayor.on('close', resolve));
      elsewhere.close();
      expect([code, error]).toEqual([6, expect.stringContaining('The token is not known.')]);
    },
    2 * WAIT_MS,
  );

  it('says what it used, and gt costs tells it apart from the rigs', async () => {
    gt('mayor', 'message', 'do: gt usage --tokens-in 1000 --tokens-out 50 --cost-usd 0.25', '--wait', '50');
    const costs = await until(() => {
      const told = json<{ rigs: { rig: string; sum: { micro_usd: number | null } }[] }>('costs');
      return told.rigs.some((row) => row.rig === 'mayor/' && row.sum.micro_usd === 250_000) ? told : null;
    }, "the mayor's costs");
    expect(costs.rigs.map((row) => row.rig)).toContain('mayor/');
  });
});
