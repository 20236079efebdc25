/** `gt top` in a real terminal of 80 by 24 (util-linux `script`), on a real daemon that goes away and comes back. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Place, until } from './cli-support.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const hasScript = spawnSync('script', ['--version']).status === 0;
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A terminal that knows the few sequences that `gt top` may use, and fails on any other. */
class Pty {
  readonly #child: ChildProcess;
  readonly ended: Promise<number>;
  raw = '';
  #lines: string[] = [];
  #row = 0;
  #rest = '';
  strange: string[] = [];

  constructor(command: string, env: NodeJS.ProcessEnv) {
    this.#child = spawn('script', ['-qfec', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.ended = new Promise((resolve) => this.#child.on('exit', (code) => resolve(code ?? -1)));
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.raw += text;
      this.#take(text);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get text(): string {
    return this.#lines.join('\n');
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #take(text: string): void {
    this.#rest += text;
    // A sequence may come in two pieces.
    const whole = /\u001b(?:\[[?0-9;]*)?$/.exec(this.#rest)?.index ?? this.#rest.length;
    const ready = this.#rest.slice(0, whole);
    this.#rest = this.#rest.slice(whole);
    for (const [piece] of ready.matchAll(/\u001b\[[?0-9;]*[A-Za-z]|\u001b.|[^\u001b]+/gu)) this.#apply(piece);
  }

  #apply(piece: string): void {
    const place = /^\u001b\[(\d+);1H$/.exec(piece);
    if (place !== null) this.#row = Number(place[1]) - 1;
    else if (piece === '\u001b[2J') this.#lines = [];
    else if (piece === '\u001b[K') this.#lines[this.#row] = '';
    else if (/^\u001b\[(?:\d+m|\?1049[hl]|\?25[hl])$/.test(piece)) return;
    else if (piece.startsWith('\u001b') || /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f]/u.test(piece))
      this.strange.push(piece);
    else this.#lines[this.#row] = (this.#lines[this.#row] ?? '') + piece;
  }
}

describe.skipIf(!hasScript)('gt top in a terminal', () => {
  const place = new Place();
  const town = place.path('town');
  const gt = (...args: readonly string[]) => place.gt([...args, '--town', town]);
  let pty: Pty | null = null;
  const node = `${quoted(process.execPath)} --disable-warning=ExperimentalWarning ${quoted(MAIN)} top --town ${quoted(town)}`;
  const open = (before: string, env: Readonly<Record<string, string>> = {}): Pty =>
    (pty = new Pty(`stty cols 80 rows 24; ${before} exec ${node}`, place.env({ TERM: 'xterm', ...env })));
  const sees = (text: string): Promise<true> =>
    until(() => (pty?.text.includes(text) === true ? true : null), `"${text}" in\n${pty?.text ?? ''}`);

  beforeAll(async () => {
    await place.gt(['init', 'town']);
    expect((await gt('rig', 'add', 'app', place.origin('app'))).code).toBe(0);
    expect((await gt('up')).code).toBe(0);
    const body = place.file('b.md', '```gt-script\necho hi >> a.txt\n```\n');
    expect((await gt('sling', 'work', '--rig', 'app', '--body-file', body)).code).toBe(0);
  });
  afterAll(async () => {
    pty?.kill();
    await gt('down');
    place.remove();
  });

  it('is live, walks, explains, filters and gives the terminal back', async () => {
    const screen = open('', { NO_COLOR: '1' });
    await sees('● Live');
    expect(screen.text).toContain('[1 inbox]');
    screen.type('3');
    await sees('[3 agents]');
    await sees('app/polecats/');
    screen.type('w');
    await sees('Why: app/polecats/');
    await sees('rule ');
    screen.type('\u001b');
    await until(() => (screen.text.includes('Why: app') ? null : true), 'the sheet to close');
    screen.type('?');
    await sees('next that needs you');
    screen.type('\u001b');
    screen.type('/nothing-has-this\r');
    await sees('No row has that');
    // News come by the stream: nobody presses a key.
    screen.type('2');
    await sees('No convoy is under way');
    const plan = place.file('plan.json', JSON.stringify({ tasks: [{ rig: 'app', title: 'a' }] }));
    expect((await gt('convoy', 'create', '\u009b2J news 漢字', '--file', plan)).code).toBe(0);
    await sees('\\x9b2J news 漢字');
    const { owner } = JSON.parse(place.read('town', '.gastown', 'secrets.json')) as { owner: string };
    expect(screen.raw).not.toContain(owner);
    screen.type('q');
    expect(await screen.ended).toBe(0);
    expect(screen.strange).toEqual([]);
    expect(screen.raw).not.toContain('\u001b[31m');
    expect(screen.raw.trimEnd().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  });

  it('takes another size, and says that it is old while the daemon is away', async () => {
    const sign = place.path('resize');
    const resize = `(while [ ! -e ${quoted(sign)} ]; do sleep 0.05; done; stty cols 50 rows 12 </dev/tty) &`;
    const screen = open(resize);
    await sees('● Live');
    expect(screen.text.split('\n')).toHaveLength(24);
    place.file('resize', '');
    await until(() => (screen.text.split('\n').length === 12 ? true : null), 'twelve lines');
    expect(Math.max(...screen.text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(50);
    expect((await gt('daemon', 'stop')).code).toBe(0);
    await until(() => (/Offline, as of \d\d:\d\d:\d\d/.test(screen.text) ? true : null), 'old figures to be marked');
    expect((await gt('up')).code).toBe(0);
    await sees('● Live');
    screen.type('\u0003');
    expect(await screen.ended).toBe(130);
    expect(screen.strange).toEqual([]);
    expect(screen.raw.trimEnd().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  });
});

describe('gt top without a terminal', () => {
  const place = new Place();
  afterAll(() => {
    place.remove();
  });
  it('prints once, as text or JSON, also while no daemon runs', async () => {
    await place.gt(['init', 'town']);
    const town = ['--town', place.path('town')];
    const text = await place.gt(['top', ...town]);
    expect([text.code, text.out]).toEqual([0, expect.stringContaining('0 need you')]);
    expect(text.out).not.toContain('\u001b');
    expect(text.err).toContain('The daemon is down');
    const json = await place.json<{ daemon: string; agents: unknown[]; queue: unknown[] }>(['top', ...town]);
    expect(json).toMatchObject({ daemon: 'down', agents: [], queue: [], attention: [] });
  });
});
