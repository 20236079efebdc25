/** `gt rescue` as a person uses it: what agents left is listed, shown, brought back; what is not stored is given up by a word only. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, renameSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Place, until } from './cli-support.ts';

interface Listed {
  readonly items: readonly {
    readonly attempt: string;
    readonly bead: string;
    readonly stored: boolean;
    readonly ref: string | null;
    readonly folders: readonly string[];
  }[];
}
const LEAVES =
  '```gt-script\necho kept > kept.txt; git add kept.txt; git commit -qm "Keep it"; echo more > more.txt; exit 1\n```\n';

describe('gt rescue', () => {
  const place = new Place();
  const town = place.path('town');
  const clone = place.path('town', '.gastown', 'repos', 'my_app.git');
  const gt = (args: readonly string[], cwd = town) => place.gt(args, { cwd });
  const git = (cwd: string, ...args: readonly string[]): string =>
    execFileSync('git', args, { cwd, env: place.env(), encoding: 'utf8' }).trim();
  const list = async (bead: string): Promise<Listed['items']> =>
    (await place.json<Listed>(['rescue', 'list', bead], { cwd: town })).items;

  /** A bead whose agent leaves work and fails; `before` runs when its id is known. */
  async function left(title: string, before: (bead: string) => void): Promise<Listed['items'][number]> {
    const body = place.file(`${title}.md`, LEAVES);
    const bead = await place.json<{ id: string }>(['bead', 'create', title, '--rig', 'my_app', '--body-file', body], {
      cwd: town,
    });
    before(bead.id);
    expect((await gt(['sling', bead.id])).code).toBe(0);
    const [found] = await until(async () => {
      const items = await list(bead.id);
      return items.length > 0 ? items : null;
    }, 'something is kept');
    if (found === undefined) throw new Error('nothing is kept');
    expect((await gt(['bead', 'close', bead.id])).code).toBe(0);
    return found;
  }

  beforeAll(async () => {
    await place.gt(['init', 'town']);
    await gt(['rig', 'add', 'my_app', place.origin('app')]);
    expect((await gt(['up'])).code).toBe(0);
  }, 120_000);

  afterAll(async () => {
    await gt(['down']);
    place.remove();
  });

  it('says how many commits it does not show, and where they are', async () => {
    const work = await left('many', () => undefined);
    const tree = git(clone, 'rev-parse', `${work.ref ?? ''}^{tree}`);
    const child = (parent: string): string =>
      git(clone, '-c', 'user.name=n', '-c', 'user.email=e@example.com', 'commit-tree', tree, '-p', parent, '-m', 'c');
    let tip = git(clone, 'rev-parse', `${work.ref ?? ''}^1`);
    for (let count = 0; count < 52; count += 1) tip = child(tip);
    git(clone, 'update-ref', work.ref ?? '', child(tip));
    // 52, the one that the agent made, and 50 of them are shown.
    expect((await gt(['rescue', 'show', work.attempt])).out).toMatch(
      /and 3 older: git --git-dir=\S+ log refs\/gt\/rescue/,
    );
  });

  it('lists and shows what was left, and brings it into a clone without moving a branch that went on', async () => {
    const work = await left('one', () => undefined);
    expect(work).toMatchObject({ stored: true, ref: `refs/gt/rescue/${work.bead}/${work.attempt}`, folders: [] });
    expect(work).toMatchObject({ commits: 1, files: 1, others: 0 });
    expect((await gt(['rescue', 'list'])).out).toMatch(/ 1 commit, 1 file /);
    const shown = (await gt(['rescue', 'show', work.attempt])).out;
    expect(shown).toMatch(/Keep it\n[^]*Not committed:\n +more\.txt/);
    const mine = place.path('mine');
    git(place.path(), 'clone', '--quiet', place.path('app.git'), mine);
    expect((await gt(['rescue', 'restore', work.attempt, '--town', town], mine)).code).toBe(0);
    const branch = `rescue/${work.attempt}`;
    expect(git(mine, 'show', `${branch}:more.txt`)).toBe('more');
    expect(git(mine, 'show', `${branch}^:kept.txt`)).toBe('kept');
    const mineToo = git(
      mine,
      '-c',
      'user.name=n',
      '-c',
      'user.email=e@example.com',
      'commit-tree',
      '-p',
      branch,
      '-m',
      'mine',
      `${branch}^{tree}`,
    );
    git(mine, 'update-ref', `refs/heads/${branch}`, mineToo);
    const again = await gt(['rescue', 'restore', work.attempt, '--town', town], mine);
    expect(again.err).toContain(`git log ${branch}`);
    expect(git(mine, 'rev-parse', branch)).toBe(mineToo);
    expect((await gt(['rescue', 'discard', work.attempt, '--give-up'])).err).toContain('is stored in');
    expect((await gt(['rescue', 'show', 'at-none'])).err).toContain('gt rescue list');
  });

  it('names what is not stored, asks before it is given up, and the doctor tells of it', async () => {
    const work = await left('two', (bead) => {
      git(clone, 'update-ref', `refs/gt/rescue/${bead}`, git(clone, 'rev-parse', 'refs/remotes/origin/main'));
    });
    expect(work).toMatchObject({ stored: false, ref: null });
    expect(work.folders).toHaveLength(1);
    expect((await gt(['rescue', 'show', work.attempt])).err).toContain(work.folders[0]);
    const asked = await gt(['rescue', 'discard', work.attempt]);
    expect([asked.code, asked.err]).toEqual([2, expect.stringContaining('the only copy')]);
    const file = place.path('town', '.gastown', 'given-up', work.attempt);
    expect(existsSync(file)).toBe(false);
    expect((await gt(['doctor'])).out).toContain(`is kept aside with the work of ${work.attempt} for ${work.bead}`);
    expect((await gt(['rescue', 'discard', work.attempt, '--give-up'])).code).toBe(0);
    expect(existsSync(file)).toBe(true);
  });

  it('is in a backup and in the town that is made of it, or that town says what it does not have', async () => {
    const work = await left('saved', () => undefined);
    const [whole, without] = [place.path('whole'), place.path('without')];
    expect((await gt(['backup', whole])).code).toBe(0);
    const files = readdirSync(whole, { recursive: true }).map(String).toSorted();
    expect(files).toEqual([
      'backup.json',
      'gastown.toml',
      'mayor.db',
      'rigs',
      'rigs/my_app.db',
      'town.db',
      'work',
      'work/my_app.bundle',
    ]);
    expect((await gt(['backup', without, '--no-work'])).err).toContain('Not in it: what agents committed and left');
    // The former town runs: no second one takes up its work.
    const again = place.path('again');
    expect((await place.gt(['restore', whole, again])).err).toContain(`It was in ${town} on `);
    expect(await place.gt(['up', '--town', again])).toMatchObject({
      code: 5,
      err: expect.stringContaining(`"gt down --town ${town}"`),
    });
    const { items } = await place.json<Listed>(['rescue', 'list', work.bead, '--town', again]);
    expect(items).toMatchObject([{ attempt: work.attempt, ref: work.ref, stored: true }]);
    const there = place.path('again', '.gastown', 'repos', 'my_app.git');
    expect(git(place.path(), `--git-dir=${there}`, 'show', `${work.ref ?? ''}:more.txt`)).toBe('more');
    // A list without this clone would say that nothing is kept.
    renameSync(`${there}/HEAD`, `${there}/HEAD.away`);
    for (const args of [['list'], ['show', work.attempt]])
      expect(await place.gt(['rescue', ...args, '--town', again])).toMatchObject({
        code: 3,
        out: '',
        err: expect.stringContaining("What agents left in the clone of my_app can't be read: fatal: not a git"),
      });
    const bare = place.path('bare');
    await place.gt(['restore', without, bare]);
    const { items: checks } = await place.json<{ items: { name: string; status: string; what: string }[] }>([
      'doctor',
      '--town',
      bare,
    ]);
    expect(checks.filter(({ name }) => name === 'clone of my_app')).toMatchObject([
      { status: 'note', what: expect.stringMatching(/^what \d attempts? left is not here: the backup/) },
    ]);
    const replay = place.path('my.replay');
    expect((await gt(['replay', '--export', 'rig/my_app', '--out', replay])).code).toBe(0);
    expect((await gt(['replay', '--export', 'my_app'])).err).toContain('is no actor');
    appendFileSync(place.path('whole', 'work', 'my_app.bundle'), 'x');
    const refused = await place.gt(['restore', whole, place.path('none')]);
    expect(refused.err).toContain('work/my_app.bundle is not what was written');
  });
});
