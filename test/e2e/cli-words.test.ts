import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMAND_NAMES } from '../../src/cli/command-names.ts';
import { Place, type Answer } from './cli-support.ts';

describe('help of gt, asked in every place', () => {
  const place = new Place();
  afterAll(() => {
    place.remove();
  });

  const words = COMMAND_NAMES.map(({ name }) => name.split(' '));
  const commands = new Set(words.filter((name) => name.length === 1).map(([first]) => first));
  const families = [...new Set(words.map(([first = '']) => first))].filter((first) => !commands.has(first));

  it('a word with several commands says what each does, and without --help that is an error', async () => {
    expect(families).toContain('bead');
    const one = async (family: string): Promise<void> => {
      const asked = await place.gt([family, '--help']);
      expect([family, asked.code, asked.err]).toEqual([family, 0, '']);
      for (const { name, summary } of COMMAND_NAMES.filter((entry) => entry.name.startsWith(`${family} `)))
        expect(asked.out).toMatch(new RegExp(`^  gt ${name} +${summary.replaceAll(/[()|?.]/g, '\\$&')}$`, 'm'));
    };
    await Promise.all(families.map(one));
    const asked = await place.gt(['help', 'bead']);
    expect(asked.out).toBe((await place.gt(['--town', 'x', 'bead', '-h'])).out);
    const bare = await place.gt(['bead']);
    expect([bare.code, bare.out]).toEqual([2, '']);
    expect(bare.err).toBe(`gt: "gt bead" needs one of its commands.\n\n${asked.out}`);
  });

  it('version takes the options that every command takes', async () => {
    expect((await place.gt(['version', '--help'])).out).toContain('Usage: gt version');
    for (const argv of [
      ['version', '--town', 'x'],
      ['--town', 'x', '--version'],
    ])
      expect(await place.gt(argv)).toMatchObject({ code: 0, out: expect.stringMatching(/^gt \d+\.\d+\.\d+ \(node /) });
  });
});

describe('a path that is wrong', () => {
  const place = new Place();
  afterAll(() => {
    place.remove();
  });

  it('is refused as that, not as a fault of gt, and nothing is made', async () => {
    place.file('file', '');
    const bare = place.origin('app');
    for (const [named, code] of [
      ['file', 'not_a_folder'],
      ['file/town', 'wrong_path'],
      [bare, 'git_folder'],
      [`${bare}/refs/town`, 'git_folder'],
    ] as const) {
      const answer = await place.gt(['init', named, '--json']);
      expect([named, answer.code, answer.out, errorOf(answer).code]).toEqual([named, 3, '', code]);
    }
    expect(readdirSync(place.root).toSorted()).toEqual(['app-work', 'app.git', 'file']);
    await place.gt(['init', 'town']);
    const answer = await place.gt(['backup', '../file/copy', '--json'], { cwd: place.path('town') });
    expect([answer.code, errorOf(answer).code]).toEqual([3, 'wrong_path']);
  });
});

interface Bead {
  readonly id: string;
  readonly hold: string | null;
}

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly next: string;
}

const errorOf = (answer: Answer): Failure => (JSON.parse(answer.err) as { readonly error: Failure }).error;

describe('words of gt in a town', () => {
  const place = new Place();
  const town = place.path('town');
  const gt = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    place.gt(args, { cwd: town, env });
  const json = <T>(args: readonly string[]): Promise<T> => place.json<T>(args, { cwd: town });

  beforeAll(async () => {
    await place.gt(['init', 'town']);
    expect(await gt(['rig', 'add', 'app', place.origin('app')])).toMatchObject({ code: 0 });
    // Nothing is started, so what the tests change stays as they leave it.
    await json(['up']);
    await json(['rig', 'park', 'app']);
  });
  afterAll(async () => {
    await gt(['down']);
    place.remove();
  });

  const staged = async (title: string): Promise<string> =>
    (await json<Bead>(['bead', 'create', title, '--rig', 'app'])).id;
  const holdOf = async (id: string): Promise<string | null> => (await json<Bead>(['bead', 'show', id])).hold;

  it('a command for several beads looks all up before it changes the first', async () => {
    const [one, two, three] = [await staged('one'), await staged('two'), await staged('three')];
    for (const [others, exit, code] of [
      [['x', two], 2, 'bad_bead_id'],
      [['app-zzzzz'], 4, 'bead_not_found'],
      [[two, one], 2, 'duplicate_bead'],
    ] as const) {
      const answer = await gt(['bead', 'release', one, ...others, '--json']);
      expect([answer.code, errorOf(answer).code, answer.out]).toEqual([exit, code, '']);
      expect(await holdOf(one)).toBe('staged');
    }
    await json(['bead', 'close', two]);
    const answer = await gt(['bead', 'release', one, two, three, '--json']);
    expect([answer.code, errorOf(answer).code]).toEqual([5, 'bead_ended']);
    expect(errorOf(answer).message).toMatch(
      new RegExp(`^${two}: .+ Done before it: ${one}\\. Not begun: ${three}\\.$`),
    );
    expect([await holdOf(one), await holdOf(three)]).toEqual([null, 'staged']);
  });

  it('an error speaks of the command line, not of fields', async () => {
    const plan = place.file('plan.toml', '[[tasks]]\nid = "a"\nrig = "app"\ntitle = "A"\ndepends_on = ["b"]\n');
    for (const [argv, message, next] of [
      [['sling', '', '--rig', 'app'], 'The title is empty.', 'gt sling "Fix the login page" --rig app'],
      [['bead', 'create', '  ', '--rig', 'app'], 'The title is empty.', 'gt bead create "Fix'],
      [['bead', 'update', 'app-7k3qf', '--title', ''], 'The title is empty.', 'gt bead update app-7k3qf --title'],
      [['convoy', 'create', ' ', '--bead', 'app-7k3qf'], 'The title is empty.', 'gt convoy create "The new login"'],
      [
        ['convoy', 'create', 'c', '--file', plan],
        'the task "A" waits for "b", which is neither a label',
        'a task of this',
      ],
      [['config', 'set', 'rigs.nope.polecats_max', '2'], 'There is no rig "nope"', 'gt rig add'],
      [['mayor', 'message', 'hi'], 'This town has no mayor.', 'gt daemon reload'],
    ] as const) {
      const error = errorOf(await gt([...argv, '--json']));
      expect([argv, error.message]).toEqual([argv, expect.stringContaining(message)]);
      expect([argv, error.next]).toEqual([argv, expect.stringContaining(next)]);
    }
    expect((await gt(['inbox', 'foo'])).err).toMatch(/Usage: gt inbox$/m);
    expect((await gt(['sling'])).err).toContain('is missing');
    expect((await gt(['bead', 'create', 'a', 'b'])).err).toContain('put quotes around');
  });

  it('figures and columns have names', async () => {
    expect((await gt(['budget', 'set', 'town', '--usd', '5'])).out).toBe(
      'town: hard budget of $5.00; spent $0.00, reserved $0.00\n',
    );
    expect((await gt(['budget', 'list'])).out).toMatch(/^BUDGET +KIND +SPENT +OF +RESERVED\n/);
    await staged('a bead');
    expect((await gt(['bead', 'list', '--status', 'running'])).code).toBe(0);
    expect((await gt(['bead', 'list'])).out).toMatch(/^ID .* CHANGED\n/);
  });

  it('what works on files says how to name a folder when an address is in its place', async () => {
    const { url } = await json<{ url: string }>(['daemon', 'status']);
    const token = place.file('owner.token', JSON.parse(place.read('town', '.gastown', 'secrets.json')).owner);
    chmodSync(token, 0o600);
    const env = { GT_TOWN_ROOT: url, GT_OWNER_TOKEN_FILE: token };
    const named = await gt(['backup', place.path('copy'), '--json'], env);
    expect([named.code, errorOf(named)]).toMatchObject([
      3,
      {
        code: 'needs_folder',
        message: 'This command works on the files of a town, and GT_TOWN_ROOT names an address.',
        next: 'Name the folder of a town: gt backup --town <dir>, or unset GT_TOWN_ROOT in that folder.',
      },
    ]);
    expect((await gt(['backup', place.path('copy'), '--town', town], env)).code).toBe(0);
    expect((await gt(['daemon', 'reload', '--town', url], env)).err).toContain('and --town names an address.');
    // A move takes the address of the surroundings too; a daemon with its files refuses the call itself.
    expect(errorOf(await gt(['town', 'resume', '--not-imported', '--json'], env)).code).not.toBe('needs_folder');
  });

  it('an export looks at its path before anything is done, and a town that is down is not stopped again', async () => {
    const clone = readdirSync(town, { recursive: true, encoding: 'utf8' }).find((name) => /app[^/]*\/HEAD$/.test(name));
    const work = execFileSync('git', ['-C', place.path('app.git'), 'rev-parse', 'main'], { encoding: 'utf8' }).trim();
    execFileSync('git', [
      '--git-dir',
      join(town, dirname(clone ?? '')),
      'update-ref',
      'refs/gt/rescue/app-7k3qf/at-1',
      work,
    ]);
    expect((await gt(['down'])).err).toContain('Stopping');
    expect(await gt(['down'])).toMatchObject({ code: 0, err: '' });
    const answer = await gt(['town', 'export', '/dev/null/x']);
    expect([answer.code, answer.out]).toEqual([3, '']);
    expect(answer.err).toMatch(/^gt: \/dev\/null\/x can't be written/);
    const refs = execFileSync('git', ['-C', place.path('app.git'), 'for-each-ref', 'refs/gt'], { encoding: 'utf8' });
    expect(refs).toBe('');
  });
});
