import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMAND_NAMES } from '../../src/cli/command-names.ts';
import { findCommand } from '../../src/cli/command-table.ts';
import { commandText } from '../../src/cli/commands/help.ts';
import { Place, until } from './cli-support.ts';

interface Item {
  readonly id: string;
  readonly status: string;
  readonly phase: string;
  readonly hold: string | null;
  readonly title: string;
}

interface Page {
  readonly items: readonly Item[];
  readonly next: string | null;
}

const errorOf = (text: string): { code: string; message: string; next: string } =>
  (JSON.parse(text) as { error: { code: string; message: string; next: string } }).error;

/** No error text may print one of these (R13). */
const DESTRUCTIVE = /\brm -|reset --hard|clean -[fd]|push (-f|--force)|checkout \.|branch -D|kill -9|drop table/i;

describe('gt without a town', () => {
  const place = new Place();
  afterAll(() => {
    place.remove();
  });

  it('helps in at most 25 lines, and each command begins with two examples', async () => {
    const help = await place.gt(['--help']);
    expect(help.code).toBe(0);
    expect(help.out.trimEnd().split('\n').length).toBeLessThanOrEqual(25);
    expect((await place.gt([])).out).toBe(help.out);
    const commands = COMMAND_NAMES.map(({ name }) => name).filter((name) => name !== 'help');
    for (const name of commands) {
      const found = findCommand(name.split(' '));
      if (found === null) throw new Error(`there is no command ${name}`);
      const lines = commandText(name, await found.load()).split('\n');
      const isExample = lines.slice(0, 2).every((line) => line.startsWith('  $ '));
      expect(isExample, name).toBe(true);
    }
    // Both ways to ask, by real programs: for a word, for a verb, and for a word that is a family too.
    for (const name of ['sling', 'bead create', 'runner']) {
      const asked = await place.gt([...name.split(' '), '--help']);
      expect([name, asked.code]).toEqual([name, 0]);
      expect(asked.out).toMatch(/^ {2}\$ /);
      expect((await place.gt(['help', ...name.split(' ')])).out, name).toBe(asked.out);
    }
  });

  it.each([
    [['help', 'exit-codes'], '124'],
    [['help', 'environment'], 'GT_TOWN_ROOT'],
    [['version'], 'gt '],
    [['--version'], 'gt '],
    [['version', '--json'], '"version"'],
  ])('answers %j', async (args, text) => {
    const answer = await place.gt(args);
    expect([answer.code, answer.err]).toEqual([0, '']);
    expect(answer.out).toContain(text);
  });

  it.each([
    [['staus'], 'unknown_command', 'Did you mean "gt status"?'],
    [['bead', 'craete'], 'unknown_command', 'Did you mean "gt bead create"?'],
    [['bead'], 'unknown_command', 'It has: create, list'],
    [['frobnicate'], 'unknown_command', 'gt --help'],
    [['help', 'slinng'], 'unknown_command', 'Did you mean "gt sling"?'],
    [['--frob'], 'unknown_option', 'gt --help'],
    [['status', '--jsno'], 'unknown_option', 'Did you mean --json?'],
    [['status', '-x'], 'unknown_option', '--help'],
    [['status', 'extra'], 'too_many_arguments', 'gt status'],
    [['status', '--town'], 'missing_value', '--town <dir>'],
    [['status', '--color', 'sometimes'], 'bad_color', 'auto'],
    [['bead', 'list', '--rig', '--json'], 'missing_value', '--rig <rig>'],
    [['bead', 'create'], 'missing_argument', 'gt bead create <title>'],
    [['version', 'x'], 'too_many_arguments', 'gt version'],
  ])('refuses %j with exit 2', async (args, code, next) => {
    const answer = await place.gt(args.includes('--json') ? args : [...args, '--json']);
    expect([answer.code, answer.out]).toEqual([2, '']);
    expect(errorOf(answer.err).code).toBe(code);
    expect(errorOf(answer.err).next).toContain(next);
  });

  it('says that there is no town, for every command that needs one', async () => {
    for (const args of [
      ['status'],
      ['bead', 'list'],
      ['up'],
      ['down'],
      ['daemon', 'status'],
      ['rig', 'add', 'a', '/x'],
      ['convoy', 'list'],
      ['why', 'app-7k3qf'],
    ]) {
      const answer = await place.gt([...args, '--json']);
      expect([args, answer.code, errorOf(answer.err).code]).toEqual([args, 3, 'no_town']);
    }
    expect((await place.gt(['status', '--town', '/nonexistent', '--json'])).code).toBe(3);
    expect((await place.gt(['status'], { env: { GT_TOWN_ROOT: '/nonexistent' } })).code).toBe(3);
    expect(readdirSync(place.root)).toEqual([]);
  });

  it('doctor finds it, exit 8', async () => {
    const answer = await place.gt(['doctor', '--json']);
    expect(answer.code).toBe(8);
    expect(readdirSync(place.root)).toEqual([]);
  });

  it.each([
    ['version', 'gt version'],
    ['help', 'gt help'],
    ['mail', 'gt mail send'],
    ['convoy', 'gt convoy create'],
    ['exit-codes', '124'],
  ])('explains %s', async (topic, text) => {
    const answer = await place.gt(['help', topic]);
    expect([answer.code, answer.err]).toEqual([0, '']);
    expect(answer.out).toContain(text);
  });

  it.each([[['done']], [['prime']], [['hook']], [['checkpoint', '{}']]])('%j is for agents only', async (args) => {
    const answer = await place.gt([...args, '--json']);
    expect([answer.code, errorOf(answer.err).code]).toEqual([3, 'not_an_agent']);
  });
});

describe('gt in a town', () => {
  const place = new Place();
  const town = place.path('town');
  const gt = (args: readonly string[], options: { env?: Record<string, string>; input?: string } = {}) =>
    place.gt(args, { cwd: town, ...options });
  const json = <T>(args: readonly string[]): Promise<T> => place.json<T>(args, { cwd: town });
  let app = '';
  let bead = '';

  /** Everything that a refused command must leave as it was. */
  const world = async (): Promise<unknown> => [
    await json<Page>(['bead', 'list', '--merge-requests']),
    await json<Page>(['convoy', 'list']),
    (await json<Page>(['rig', 'list'])).items.map((rig) => rig.id),
    place.read('town', 'gastown.toml'),
    readdirSync(place.path('town', '.gastown')).filter((name) => !/\.db-(wal|shm)$/.test(name)),
  ];

  beforeAll(async () => {
    app = place.origin('app');
    expect((await place.gt(['init', 'town'])).code).toBe(0);
  });

  afterAll(async () => {
    await gt(['down']);
    place.remove();
  });

  it('init completes and never overwrites', async () => {
    const before = [
      place.read('town', 'gastown.toml'),
      place.read('town', '.gastown', 'secrets.json'),
      place.read('town', '.gastown', 'town.json'),
    ];
    expect(await place.json(['init', 'town'])).toMatchObject({ created: false });
    expect([
      place.read('town', 'gastown.toml'),
      place.read('town', '.gastown', 'secrets.json'),
      place.read('town', '.gastown', 'town.json'),
    ]).toEqual(before);
    const inside = await place.gt(['init', 'town/inner', '--json']);
    expect([inside.code, errorOf(inside.err).code]).toEqual([2, 'town_inside_town']);
    expect((await place.gt(['init', 'other', '--name', '../x', '--json'])).code).toBe(2);
    expect(readdirSync(place.root)).not.toContain('other');
  });

  it('reads before the first start, and refuses changes with exit 7', async () => {
    expect((await json<Page>(['rig', 'list'])).items).toEqual([]);
    expect((await json<Page>(['bead', 'list'])).items).toEqual([]);
    for (const args of [
      ['sling', 'x', '--rig', 'app'],
      ['bead', 'create', 'x', '--rig', 'app'],
      ['bead', 'close', 'app-7k3qf'],
      ['convoy', 'start', 'hq-cv-7k3qf'],
    ]) {
      const answer = await gt([...args, '--json']);
      expect([args, answer.code, errorOf(answer.err)]).toMatchObject([
        args,
        7,
        { code: 'daemon_down', next: 'Start it with "gt up".' },
      ]);
    }
  });

  it('rig add works offline, checks the repository, and keeps the comments', async () => {
    const config = place.read('town', 'gastown.toml');
    const work = place.path('app-work');
    const wrong: readonly (readonly [readonly string[], number, string])[] = [
      [['App', app], 2, 'bad_rig_name'],
      [['../x', app], 2, 'bad_rig_name'],
      [['--', '--upload-pack=x', app], 2, 'bad_rig_name'],
      [['app', place.path('nothing')], 3, 'not_a_repository'],
      [['app', place.root], 3, 'not_a_repository'],
      [['app', work], 3, 'no_origin'],
      [['app', app, '--branch', 'nope'], 3, 'branch_missing'],
      [['app', app, '--prefix', 'hq'], 2, 'reserved_prefix'],
      [['app', app, '--prefix', 'A B'], 2, 'bad_prefix'],
      [['app', app, '--gate', 'nocommand'], 2, 'bad_gate'],
      [['app', app, '--polecats-max', '-1'], 2, 'bad_number'],
      [['app', app, '--polecats-max', '9999'], 2, 'bad_number'],
      [['app', 'ext::sh -c true'], 2, 'bad_url'],
      [['app'], 2, 'missing_argument'],
    ];
    for (const [args, code, name] of wrong) {
      const answer = await gt(['rig', 'add', '--json', ...args]);
      expect([args, answer.code, errorOf(answer.err).code]).toEqual([args, code, name]);
      expect(answer.err).not.toMatch(DESTRUCTIVE);
      expect(place.read('town', 'gastown.toml')).toBe(config);
    }
    const added = await json<{ id: string; status: string; target_branch: string }>([
      'rig',
      'add',
      'app',
      app,
      '--gate',
      'test=true',
      '--gate',
      'lint@5m=true',
    ]);
    expect(added).toMatchObject({ id: 'app', prefix: 'app', target_branch: 'main', gates: ['test', 'lint'] });
    expect(place.read('town', 'gastown.toml').startsWith(config)).toBe(true);
    const again = await gt(['rig', 'add', 'app', app, '--json']);
    expect([again.code, errorOf(again.err).code]).toEqual([5, 'rig_exists']);
  });

  it('up waits until it answers, and rig add works online', async () => {
    expect(await json(['up'])).toMatchObject({ running: true });
    expect((await json<Page>(['rig', 'list'])).items).toMatchObject([{ id: 'app', status: 'ready' }]);
    expect(
      (await json<{ id: string }>(['rig', 'add', 'lib', place.path('app-work'), '--create-bare', '--prefix', 'lib']))
        .id,
    ).toBe('lib');
    expect((await json<Page>(['rig', 'list'])).items.map((rig) => rig.id).toSorted()).toEqual(['app', 'lib']);
    const taken = await gt(['rig', 'add', 'third', app, '--prefix', 'lib', '--json']);
    expect(taken.code).toBe(5);
    expect(place.read('town', 'gastown.toml')).not.toContain('third');
  });

  it('bead create records without running it, and sling merges it', async () => {
    const body = place.file('body.md', '```gt-script\necho two >> a.txt\n```\n');
    const made = await gt(['bead', 'create', 'Add a line', '--rig', 'app', '--body-file', body]);
    expect(made.err).toContain('not running yet');
    bead = made.out.split(' ')[0] ?? '';
    expect(await json<Item>(['bead', 'show', bead])).toMatchObject({ id: bead, status: 'open', hold: 'staged' });
    expect((await json<Page>(['ready'])).items).toEqual([]);
    expect(await json<Item>(['sling', bead])).toMatchObject({ id: bead, hold: null });
    await until(
      async () => ((await json<Item>(['bead', 'show', bead])).status === 'closed' ? true : null),
      'the merge',
    );
    expect(execFileSync('git', ['-C', app, 'show', 'main:a.txt'], { encoding: 'utf8' })).toBe('one\ntwo\n');
    expect((await json<Page>(['agents'])).items[0]).toMatchObject({
      status: expect.any(String),
      id: expect.stringMatching(/^app\/polecats\//),
    });
    expect(await json<Page>(['mq'])).toMatchObject({ next: null });
    expect(await json(['why', bead])).toMatchObject({ id: bead, next: null });
    expect((await json<{ items: unknown[] }>(['feed'])).items.length).toBeGreaterThan(3);
    const attempt = (await json<{ attempt_list: { id: string }[] }>(['bead', 'show', bead])).attempt_list[0]?.id ?? '';
    expect((await gt(['logs', attempt])).code).toBe(0);
  });

  it('a body comes from stdin, and a title with --sling runs at once', async () => {
    const made = await gt(['bead', 'create', 'From stdin', '--rig', 'app', '--body-file', '-', '--json'], {
      input: 'the body\n',
    });
    expect(JSON.parse(made.out)).toMatchObject({ body: 'the body\n', hold: 'staged' });
    expect(
      JSON.parse((await gt(['bead', 'create', 'By env', '--json'], { env: { GT_RIG: 'app' } })).out),
    ).toMatchObject({ rig: 'app' });
  });

  it('pauses and resumes a merge train, with its reason, for people alone', async () => {
    const pause = ['mq', 'pause', 'app', '--reason', 'release 2.1'];
    const token = { env: { GT_TOKEN: 'x' } };
    expect(errorOf((await gt([...pause, '--json'], token)).err).code).toBe('not_for_agents');
    expect((await gt(pause)).out).toMatch(/app → main .*paused {2}0 in line: release 2\.1/);
    const train = { target: 'main', status: 'paused', reason: 'release 2.1', waiting: 0 };
    expect(await json<Page>(['rig', 'list'])).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({ id: 'app', stopped_trains: [expect.objectContaining(train)] }),
      ]),
    });
    expect((await gt(['why', 'app'])).out).toContain('is paused by human/');
    expect(await json(['mq', 'resume', 'app'])).toMatchObject({ id: 'app', stopped_trains: [] });
  });

  it('refuses every wrong input with its code, and changes nothing (R13)', async () => {
    const plan = (text: string): string => place.file(`plan-${String(Math.random()).slice(2)}.toml`, text);
    const task = '[[tasks]]\nrig = "app"\ntitle = "a"\n';
    const before = await world();
    const wrong: readonly (readonly [readonly string[], number, string])[] = [
      [['bead', 'create', 'x'], 2, 'no_rig'],
      [['bead', 'create', 'x', '--rig', 'nope'], 4, 'rig_not_found'],
      [['bead', 'create', 'x', '--rig', '../etc'], 2, 'bad_rig_name'],
      [['bead', 'create', '   ', '--rig', 'app'], 2, 'bad_field'],
      [['bead', 'create', 'a\u001B[31mb', '--rig', 'app'], 2, 'bad_field'],
      [['bead', 'create', 'x'.repeat(501), '--rig', 'app'], 2, 'bad_field'],
      [['bead', 'create', 'x', '--rig', 'app', '--priority', 'urgent'], 2, 'bad_field'],
      [['bead', 'create', 'x', '--rig', 'app', '--body', 'a', '--body-file', 'b'], 2, 'two_texts'],
      [['bead', 'create', 'x', '--rig', 'app', '--body-file', '/nonexistent'], 3, 'file_unreadable'],
      [['bead', 'create', 'x', '--rig', 'app', '--depends-on', 'nope'], 2, 'bad_bead_id'],
      [['bead', 'create', 'x', '--rig', 'app', '--depends-on', 'app-zzzzz'], 4, 'bead_not_found'],
      [['bead', 'list', '--status', 'opne'], 2, 'bad_status'],
      [['bead', 'list', '--rig', 'nope'], 4, 'rig_not_found'],
      [['bead', 'list', '--convoy', 'x'], 2, 'bad_convoy_id'],
      [['bead', 'list', '--limit', '0'], 2, 'bad_number'],
      [['bead', 'list', '--limit', '-5'], 2, 'bad_number'],
      [['bead', 'list', '--after', 'nonsense'], 2, 'bad_cursor'],
      [['bead', 'show', 'nope'], 2, 'bad_bead_id'],
      [['bead', 'show', '../../etc/passwd'], 2, 'bad_bead_id'],
      [['bead', 'show', 'app-zzzzz'], 4, 'bead_not_found'],
      [['bead', 'close', 'app-zzzzz'], 4, 'bead_not_found'],
      [['bead', 'close', bead, '--reason', 'merged'], 2, 'bad_field'],
      [['bead', 'hold', 'app-zzzzz'], 4, 'bead_not_found'],
      [['bead', 'release', 'app-zzzzz'], 4, 'bead_not_found'],
      [['bead', 'retry', 'zzz-zzzzz'], 4, 'bead_not_found'],
      [['sling', 'app-zzzzz'], 4, 'bead_not_found'],
      [['sling', 'app-zzzzz', 'a title'], 2, 'bad_bead_id'],
      [['sling', 'app-zzzzz', 'app-zzzzz'], 2, 'duplicate_bead'],
      [['sling', 'app-zzzzz', '--rig', 'app'], 2, 'not_for_ids'],
      [['sling', 'a title'], 2, 'no_rig'],
      [['why', 'nope'], 4, '*'],
      [['why', 'app-zzzzz'], 4, 'bead_not_found'],
      [['logs', 'nobody'], 4, 'agent_not_found'],
      [['agents', '--rig', 'nope'], 4, 'rig_not_found'],
      [['mq', '--rig', '..'], 2, 'bad_rig_name'],
      [['mq', 'pause', 'app'], 2, 'no_reason'],
      [['mq', 'pause', 'app', '--reason', 'a\u001B[31mb'], 2, 'bad_field'],
      [['mq', 'pause', 'nope', '--reason', 'x'], 4, 'rig_not_found'],
      [['mq', 'pause', 'app', '--reason', 'x', '--target', 'mian'], 2, 'unknown_target'],
      [['mq', 'resume', 'app', '--target', 'mian'], 2, 'unknown_target'],
      [['mq', 'resume', 'app'], 3, 'train_not_paused'],
      [['mq', 'bounce', 'app-zzzzz', '--reason', 'x'], 4, 'bead_not_found'],
      [['mq', 'bounce', bead], 2, 'no_reason'],

      [['mq', 'retry', 'app-zzzzz'], 4, 'bead_not_found'],
      [['feed', '--cursor', 'nonsense'], 2, 'bad_cursor'],
      [['feed', '--limit', 'x'], 2, 'bad_number'],
      [['daemon', 'logs', '-n', '0'], 2, 'bad_number'],
      [['convoy', 'create', 'c'], 2, 'empty_convoy'],
      [['convoy', 'create', 'c', '--file', '/nonexistent'], 3, 'file_unreadable'],
      [['convoy', 'create', 'c', '--file', plan('[[tasks'), '--staged'], 2, 'bad_plan'],
      [['convoy', 'create', 'c', '--file', plan('')], 2, 'bad_plan'],
      [['convoy', 'create', 'c', '--file', plan(task.replace('title', 'tilte'))], 2, '*'],
      [['convoy', 'create', 'c', '--file', plan(`${task}bodi = "x"\n`)], 2, 'unknown_field'],
      [['convoy', 'create', 'c', '--file', plan(`${task}id = "a"\n${task}id = "a"\n`)], 2, 'duplicate_label'],
      [['convoy', 'create', 'c', '--file', plan(`${task}body_file = "none.md"\n`)], 2, 'file_unreadable'],
      [['convoy', 'create', 'c', '--file', plan(`${task}depends_on = ["nobody"]\n`)], 2, 'bad_bead_id'],
      [
        [
          'convoy',
          'create',
          'c',
          '--file',
          plan(`${task}id = "a"\ndepends_on = ["b"]\n${task}id = "b"\ndepends_on = ["a"]\n`),
        ],
        2,
        '*',
      ],
      [['convoy', 'create', 'c', '--file', plan(task.replace('app', 'nope'))], 4, 'rig_not_found'],
      [['convoy', 'create', 'c', '--bead', 'app-zzzzz'], 4, 'bead_not_found'],
      [['convoy', 'create', 'c', '--bead', bead, '--file', 'x'], 2, 'mixed_convoy'],
      [['convoy', 'create', 'c', '--file', plan(task), '--merge-mode', 'all-at-once'], 2, 'bad_field'],
      [['convoy', 'create', 'c', '--file', plan(task), '--landing-order', 'app'], 2, 'no_landing_order'],
      [['convoy', 'create', 'c', '--file', plan(task), '--on-failure', 'panic'], 2, 'bad_field'],
      [['convoy', 'show', 'hq-cv-zzzzz'], 4, 'convoy_not_found'],
      [['convoy', 'start', 'nope'], 2, 'bad_convoy_id'],
      [['convoy', 'add', 'hq-cv-zzzzz', '--bead', bead], 4, 'convoy_not_found'],
      [['convoy', 'add', 'hq-cv-zzzzz'], 2, 'empty_convoy'],
      [['convoy', 'remove', 'hq-cv-zzzzz', bead], 4, 'convoy_not_found'],
      [['convoy', 'update', 'hq-cv-zzzzz'], 2, 'nothing_to_change'],
      [['convoy', 'update', 'hq-cv-zzzzz', '--on-failure', 'panic'], 2, 'bad_field'],
      [['convoy', 'close', 'hq-cv-zzzzz'], 4, 'convoy_not_found'],
    ];
    const failures: unknown[] = [];
    for (const [args, code, name] of wrong) {
      const answer = await gt([...args, '--json']);
      let error = { code: 'not JSON', message: '', next: '' };
      try {
        error = errorOf(answer.err);
      } catch {
        // Shown below.
      }
      const isRight =
        answer.code === code &&
        (name === '*' || error.code === name) &&
        error.next !== '' &&
        answer.out === '' &&
        !DESTRUCTIVE.test(answer.err);
      if (!isRight) failures.push({ args, expected: [code, name], got: [answer.code, answer.err, answer.out] });
    }
    expect(failures).toEqual([]);
    expect(await world()).toEqual(before);
  });

  it('a convoy runs over two rigs in the order of its labels', async () => {
    place.file('two.md', '```gt-script\necho lib > b.txt\n```\n');
    const plan = place.file(
      'plan.toml',
      '[[tasks]]\nid = "first"\nrig = "lib"\ntitle = "Library"\nbody_file = "two.md"\n[[tasks]]\nrig = "app"\ntitle = "App"\nbody = """\n```gt-script\necho app > c.txt\n```\n"""\ndepends_on = ["first"]\n',
    );
    const made = await json<{ id: string; status: string; beads: { depends_on: number[]; id: string }[] }>([
      'convoy',
      'create',
      'Both',
      '--file',
      plan,
      '--staged',
    ]);
    expect(made.status).toBe('staged');
    expect(made.beads.map((one) => one.depends_on)).toEqual([[], [0]]);
    await json(['convoy', 'start', made.id]);
    await until(
      async () => ((await json<{ status: string }>(['convoy', 'show', made.id])).status === 'landed' ? true : null),
      'the landing',
    );
    expect((await json<Page>(['bead', 'list', '--convoy', made.id])).items.map((one) => one.status)).toEqual([
      'closed',
      'closed',
    ]);
    expect((await json<Page>(['convoy', 'list'])).items).toMatchObject([{ id: made.id, status: 'landed' }]);
  });

  it('ends the wait for a drain that was taken back, and cancels nothing', async () => {
    const go = place.path('go-on');
    const body = `\`\`\`gt-script\nuntil test -e '${go}'; do sleep 0.1; done\necho done > d.txt\n\`\`\`\n`;
    const { id } = await json<Item>(['sling', 'Takes a while', '--rig', 'lib', '--body', body]);
    const waiting = gt(['rig', 'remove', 'lib', '--drain', '--json']);
    const lib = async () => (await json<Page>(['rig', 'list'])).items.find((rig) => rig.id === 'lib')?.status ?? null;
    await until(async () => ((await lib()) === 'draining' ? true : null), 'the drain');
    expect((await gt(['rig', 'unpark', 'lib'])).code).toBe(0);
    const ended = await waiting;
    expect([ended.code, ended.out]).toEqual([5, '']);
    expect(ended.err).toContain('"code":"drain_ended"');
    expect(await lib()).toBe('ready');
    place.file('go-on', '');
    const phase = async () => (await json<Item>(['bead', 'show', id])).phase;
    await until(async () => ((await phase()) === 'merged' ? true : null), 'the merge');
  });

  it('prints plain aligned lines into a pipe, colour only when asked', async () => {
    const plain = await gt(['bead', 'list']);
    expect(plain.out).not.toContain('\u001B');
    expect((await gt(['bead', 'list', '--color', 'always'])).out).toContain('\u001B[');
    expect((await gt(['bead', 'list'], { env: { NO_COLOR: '1', FORCE_COLOR: '1' } })).out).not.toContain('\u001B');
    expect((await gt(['status'])).out).toContain('RIG');
    expect(plain.out.split('\n').filter((line) => line.endsWith(' '))).toEqual([]);
  });

  it('doctor is content, and says what is not', async () => {
    expect(await gt(['doctor'])).toMatchObject({ code: 0 });
    execFileSync('chmod', ['644', place.path('town', '.gastown', 'secrets.json')]);
    const answer = await gt(['doctor', '--json']);
    expect(answer.code).toBe(8);
    expect(JSON.parse(answer.out)).toMatchObject({ ok: false, problems: 1 });
    expect(answer.out).not.toContain(JSON.parse(place.read('town', '.gastown', 'secrets.json')).owner);
    execFileSync('chmod', ['600', place.path('town', '.gastown', 'secrets.json')]);
  });

  it('reads without the daemon, and changes nothing then', async () => {
    const before = await json<Page>(['bead', 'list']);
    await gt(['down']);
    expect(await json<Page>(['bead', 'list'])).toEqual(before);
    for (const args of [
      ['status'],
      ['rig', 'list'],
      ['agents'],
      ['mq'],
      ['feed'],
      ['convoy', 'list'],
      ['ready'],
      ['why', bead],
      ['bead', 'show', bead],
    ]) {
      expect([args, (await gt([...args, '--json'])).code]).toEqual([args, 0]);
    }
    expect((await gt(['sling', bead, '--json'])).code).toBe(7);
  });

  it('says in all that is read that the daemon is down, once', async () => {
    expect((await gt(['status'])).out).toMatch(/daemon .*down.*gt up/);
    for (const args of [['inbox'], ['why', bead], ['bead', 'list'], ['bead', 'show', bead], ['runner', 'list']])
      expect([args, (await gt(args)).err.split('The daemon is down').length]).toEqual([args, 2]);
    expect(await json(['status'])).toMatchObject({ daemon: 'down', held: false });
  });

  it('says of output that its runner is down too, not that somebody should look at that runner', async () => {
    const answer = await gt(['logs', bead, '--json']);
    expect([answer.code, errorOf(answer.err)]).toMatchObject([
      7,
      { code: 'daemon_down', next: 'Start it with "gt up".' },
    ]);
  });
});
