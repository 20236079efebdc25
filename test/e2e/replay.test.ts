/** The recorded history of a daemon that was killed runs again the same; copies of a running town are whole. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Place, until } from './cli-support.ts';

interface Bead {
  readonly id: string;
  readonly close_reason: string | null;
}

interface Replay {
  readonly same: boolean;
  readonly turns: number;
  readonly journalRows: number;
  readonly difference: { readonly turn: number; readonly journalSeq: number | null; readonly what: string } | null;
}

const CANARY = 'canary-7f3a91c2e5';

describe('history on disk', () => {
  const place = new Place();
  const town = place.path('town');
  const env = { GT_CANARY: CANARY };
  const gt = (...args: readonly string[]) => place.gt([...args, '--town', town], { env });
  const json = <T>(...args: readonly string[]): Promise<T> => place.json<T>([...args, '--town', town], { env });
  const merged = (id: string): Promise<Bead> =>
    until(
      async () => {
        const bead = await json<Bead>('bead', 'show', id);
        return bead.close_reason === 'merged' ? bead : null;
      },
      `${id} is merged`,
      60_000,
    );
  const sling = async (name: string): Promise<string> => {
    const body = place.file(`${name}.md`, `\`\`\`gt-script\necho ${name} > ${name}.txt\n\`\`\`\n`);
    return (await json<Bead>('sling', name, '--rig', 'app', '--body-file', body)).id;
  };
  let first = '';

  beforeAll(async () => {
    await place.gt(['init', 'town']);
    appendFileSync(place.path('town', 'gastown.toml'), '\n[mayor]\ncommand = "true"\n');
    expect((await gt('rig', 'add', 'app', place.origin('app'))).code).toBe(0);
    const { pid } = await json<{ readonly pid: number }>('up');
    first = await sling('one');
    process.kill(pid, 'SIGKILL');
    await until(async () => ((await gt('up')).code === 0 ? true : null), 'the town is up again');
    const second = await sling('two');
    await merged(first);
    await merged(second);
  }, 120_000);

  afterAll(async () => {
    await gt('down');
    await place.gt(['down', '--town', place.path('again')]);
    place.remove();
  });

  it.each(['town', 'rig/app'])('of %s runs again the same, over a kill -9', async (actor) => {
    const out = place.path(`${actor.replace('/', '-')}.bundle`);
    const written = await json<{ readonly turns: number }>('replay', '--export', actor, '--out', out);
    const replayed = await place.json<Replay>(['replay', out]);
    expect(replayed).toMatchObject({ same: true, difference: null, turns: written.turns });
    if (actor === 'rig/app') expect(replayed.journalRows).toBeGreaterThan(20);
  });

  it('leaves the town without its secrets', async () => {
    const text = ['town.bundle', 'rig-app.bundle']
      .map((name) => gunzipSync(readFileSync(place.path(name))).toString())
      .join();
    const secrets = Object.values(JSON.parse(place.read('town', '.gastown', 'secrets.json')) as Record<string, string>);
    expect(secrets.length).toBeGreaterThan(3);
    for (const secret of [...secrets, CANARY]) expect(text.includes(secret)).toBe(false);
    expect(text).toContain('echo one');
  });

  it('that was changed by hand shows the first row that differs', async () => {
    const lines = gunzipSync(readFileSync(place.path('rig-app.bundle')))
      .toString()
      .trimEnd()
      .split('\n');
    const at = lines.findIndex((line) => line.includes('"action":"dispatch_agent"'));
    const line = lines[at]!;
    const { step } = JSON.parse(line) as {
      step: { turn: { seq: number }; journal: { seq: number; action: string }[] };
    };
    const row = step.journal.find((entry) => entry.action === 'dispatch_agent')!;
    lines[at] = line.replace('"action":"dispatch_agent"', '"action":"dispatch_nobody"');
    writeFileSync(place.path('changed.bundle'), gzipSync(lines.join('\n')));
    const answer = await place.gt(['replay', place.path('changed.bundle'), '--json']);
    expect(answer.code).toBe(1);
    expect(JSON.parse(answer.out)).toMatchObject({
      same: false,
      difference: { turn: step.turn.seq, journalSeq: row.seq, what: 'journal: action' },
    });
  });

  it.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    [
      'with a flipped bit',
      (bytes: Buffer) =>
        Buffer.from(bytes).fill(bytes[bytes.length >> 1]! ^ 4, bytes.length >> 1, (bytes.length >> 1) + 1),
    ],
    ['of rubbish', () => Buffer.from('rubbish')],
    [
      'without its end',
      (bytes: Buffer) => gzipSync(gunzipSync(bytes).toString().trimEnd().split('\n').slice(0, -1).join('\n')),
    ],
    ['of another kind', () => gzipSync('{"kind":"x"}\n')],
    ['from the future', (bytes: Buffer) => gzipSync(gunzipSync(bytes).toString().replace('"format":1', '"format":2'))],
  ])('%s is a clear error', async (name, damage) => {
    const path = place.path(`${name.replaceAll(' ', '-')}.bundle`);
    writeFileSync(path, damage(readFileSync(place.path('rig-app.bundle'))));
    const answer = await place.gt(['replay', path, '--json']);
    expect(answer.code).toBe(2);
    expect(JSON.parse(answer.out === '' ? answer.err : answer.out)).toMatchObject({ error: { code: 'bad_bundle' } });
  });

  it('is copied while the town runs, checked, and restored into a new folder only', async () => {
    const folder = place.path('backup');
    expect((await gt('mayor', 'stop')).code).toBe(0);
    expect((await gt('mayor', 'message', 'Mind the budget')).code).toBe(0);
    expect((await gt('backup', folder)).code).toBe(0);
    expect((await gt('backup', folder)).code).toBe(5);
    expect((await place.gt(['restore', folder, town])).code).toBe(5);
    const again = place.path('again');
    expect((await place.gt(['restore', folder, again])).code).toBe(0);
    const before = place.read('town', '.gastown', 'secrets.json');
    expect(place.read('again', '.gastown', 'secrets.json')).not.toBe(before);
    await gt('down');
    expect((await place.gt(['up', '--town', again])).code).toBe(0);
    const bead = await place.json<Bead>(['bead', 'show', first, '--town', again]);
    expect(bead).toMatchObject({ id: first, close_reason: 'merged' });
    const said = await place.json<{ items: readonly { text: string }[] }>(['mayor', 'log', '--town', again]);
    expect(said.items).toMatchObject([{ text: 'Mind the budget' }]);
    const body = place.file('three.md', '```gt-script\necho three > three.txt\n```\n');
    const { id } = await place.json<Bead>(['sling', 'three', '--rig', 'app', '--body-file', body, '--town', again]);
    await until(
      async () =>
        (await place.json<Bead>(['bead', 'show', id, '--town', again])).close_reason === 'merged' ? true : null,
      'the restored town merges',
      60_000,
    );
  });

  it('in a damaged backup is not restored', async () => {
    const path = place.path('backup', 'rigs', 'app.db');
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0, 4_096, 4_200));
    const answer = await place.gt(['restore', place.path('backup'), place.path('third')]);
    expect(answer.code).toBe(2);
    expect(answer.err).toContain('rigs/app.db is not what was written');
  });
});
