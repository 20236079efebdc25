/** Pull requests over a whole town: a real daemon, real git and agents, and a fake GitHub over the same origin. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BareGit } from '../support/forge/bare-git.ts';
import { type ForgeServer, forgeServer } from '../support/forge/server.ts';
import { FAKE_PROJECT, FAKE_TOKEN } from '../support/forge/wire.ts';
import { Place, until } from './cli-support.ts';

/** Making the town, and one whole story on a loaded machine. */
const WAIT_MS = 100_000;

interface Convoy {
  readonly id: string;
  readonly status: string;
  readonly feature_branch: string;
  readonly beads: readonly { readonly id: string; readonly close_reason: string | null }[];
  readonly landings: readonly { readonly merge_sha: string | null }[];
  readonly reverts: readonly { readonly state: string; readonly merge_sha: string | null }[];
}

interface Bead {
  readonly id: string;
  readonly close_reason: string | null;
  readonly evidence: { readonly merge_sha: string | null };
}

const place = new Place();
const git = new BareGit(place.origin('app'));
let server: ForgeServer;
const json = <T>(...args: readonly string[]): Promise<T> => place.json<T>([...args, '--town', place.path('town')]);

beforeAll(async () => {
  server = await forgeServer('github', git);
  await place.gt(['init', 'town']);
  await json('rig', 'add', 'app', git.path, '--polecats-max', '6');
  const settings = place.path('town', 'gastown.toml');
  const forge = [
    'merge_strategy = "pr"',
    'pr_approvals = 1',
    'forge = "github"',
    `forge_url = ${JSON.stringify(server.site.apiUrl)}`,
    `forge_project = ${JSON.stringify(FAKE_PROJECT)}`,
    `forge_token = ${JSON.stringify(`file:${place.file('token', `${FAKE_TOKEN}\n`)}`)}`,
  ];
  writeFileSync(settings, readFileSync(settings, 'utf8').replace('[rigs.app]\n', `[rigs.app]\n${forge.join('\n')}\n`));
  await json('up');
}, WAIT_MS);

afterAll(async () => {
  await place.gt(['down', '--town', place.path('town')]);
  await server.close();
  place.remove();
}, WAIT_MS);

const show = (id: string): Promise<Bead> => json<Bead>('bead', 'show', id);
const why = async (id: string): Promise<string> => (await place.gt(['why', id, '--town', place.path('town')])).out;
const merged = (id: string): Promise<Bead> =>
  until(
    async () => {
      const bead = await show(id);
      return bead.close_reason === 'merged' ? bead : null;
    },
    `${id} is merged`,
    WAIT_MS,
  );
const says = (id: string, words: string): Promise<string> =>
  until(
    async () => {
      const text = await why(id);
      return text.includes(words) ? text : null;
    },
    `"gt why ${id}" says ${words}`,
    WAIT_MS,
  );

/** A bead whose agent adds a file; answers its id and the number of its pull request. */
async function proposed(name: string): Promise<{ readonly id: string; readonly number: number }> {
  const body = `\`\`\`gt-script\necho ${name} >${name}.txt; git add -A; git commit -qm ${name}\n\`\`\`\n`;
  const { id } = await json<Bead>('sling', `Add ${name}`, '--rig', 'app', '--body', body);
  const number = await until(
    () => server.forge.pulls.find((pull) => pull.head === `gt/${id}`)?.number ?? null,
    `the pull request of ${id}`,
    WAIT_MS,
  );
  return { id, number };
}

function pass(number: number): void {
  server.forge.check(number, 'build', 'success');
  server.forge.approve(number, 'ann');
}

it(
  'merges what is green and approved, takes what people do outside as it is, and waits where it must',
  async () => {
    const { forge, faults } = server;
    const names = ['good', 'outside', 'closed', 'waits', 'lost'];
    const [good, outside, closed, waits, lost] = await Promise.all(names.map(proposed));
    if (!good || !outside || !closed || !waits || !lost) throw new Error('five were proposed');
    expect(forge.get(good.number)).toMatchObject({ base: 'main', title: 'Add good', state: 'open' });

    // One of them waits for people, and then its host for the end of a limit; nothing else waits for it.
    await says(waits.id, '0 of 1 approval');
    const isOfWaits = (_method: string, path: string): boolean => path.endsWith(`/pulls/${String(waits.number)}`);
    faults.plan({ kind: 'limited', resetInS: 600 }, isOfWaits, 1_000);

    // The host merges, and nobody hears of it: the connection and then the daemon are gone.
    const isMergeOfLost = (method: string, path: string): boolean =>
      method === 'PUT' && path.endsWith(`/pulls/${String(lost.number)}/merge`);
    const { pid } = await json<{ pid: number }>('up');
    faults.plan({ kind: 'cut_after' }, (method, path) => {
      if (!isMergeOfLost(method, path)) return false;
      process.kill(pid, 'SIGKILL');
      return true;
    });
    pass(good.number);
    pass(lost.number);
    const byHand = forge.mergeByHand(outside.number, 'squash');
    forge.close(closed.number);
    await until(() => forge.get(lost.number).mergeSha, 'the host merged what nobody heard of', WAIT_MS);
    await json('up');

    const landed = await Promise.all([good.id, outside.id, lost.id].map(merged));
    expect(landed.map((bead) => bead.evidence.merge_sha)).toEqual([
      forge.get(good.number).mergeSha,
      byHand,
      forge.get(lost.number).mergeSha,
    ]);
    for (const { evidence } of landed) expect(git.isAncestor(evidence.merge_sha ?? '', git.tip('main'))).toBe(true);
    expect(server.calls.filter(({ method, path }) => isMergeOfLost(method, path))).toHaveLength(1);
    expect(forge.pulls).toHaveLength(names.length);

    await says(closed.id, 'was closed without a merge');
    await says(waits.id, 'does not answer');
    expect(forge.get(waits.number).state).toBe('open');
  },
  WAIT_MS,
);

/** The only pull request that is open and was not there before; people let it pass. */
async function letPass(before: readonly number[], what: string): Promise<number> {
  const { forge } = server;
  const pull = await until(() => forge.pulls.find(({ number }) => !before.includes(number)) ?? null, what, WAIT_MS);
  expect(pull).toMatchObject({ base: 'main', state: 'open' });
  await says(pull.head.replace('gt/', ''), '0 of 1 approval');
  pass(pull.number);
  return pull.number;
}

it(
  'lands a convoy with one pull request, and takes it back with another',
  async () => {
    const { forge } = server;
    const numbers = (): readonly number[] => forge.pulls.map(({ number }) => number);
    const files = (branch: string): readonly string[] => git.run('ls-tree', '--name-only', branch).split('\n');
    const task = (name: string): string =>
      `[[tasks]]\nid = "${name}"\nrig = "app"\ntitle = "Add ${name}"\nbody = """\n\`\`\`gt-script\necho ${name} >${name}.txt\n\`\`\`\n"""\n`;
    const plan = place.file('plan.toml', ['merge_mode = "review-then-land"', task('left'), task('right')].join('\n'));
    const before = numbers();
    const { id, feature_branch: feature } = await json<Convoy>('convoy', 'create', 'Both', '--file', plan);
    const convoyIs = (isSo: (convoy: Convoy) => boolean, what: string): Promise<Convoy> =>
      until(
        async () => {
          const convoy = await json<Convoy>('convoy', 'show', id);
          return isSo(convoy) ? convoy : null;
        },
        what,
        WAIT_MS,
      );

    // Its beads merge into the branch of the convoy, which is the town's own: nobody is asked for that.
    await convoyIs(({ beads }) => beads.every((bead) => bead.close_reason === 'merged'), 'both beads are merged');
    expect(files(feature)).toEqual(expect.arrayContaining(['left.txt', 'right.txt']));
    expect(files('main')).not.toContain('left.txt');
    const landing = await letPass(before, 'the pull request that lands it');
    const landed = await convoyIs(({ status }) => status === 'landed', 'the convoy landed');
    expect(landed.landings).toMatchObject([{ merge_sha: forge.get(landing).mergeSha }]);
    expect(files('main')).toEqual(expect.arrayContaining(['left.txt', 'right.txt']));

    git.setBranch('main', git.commit(git.tip('main'), 'later.txt', 'later\n'));
    const withLanding = numbers();
    await json<Convoy>('convoy', 'revert', id);
    const back = await letPass(withLanding, 'the pull request that takes it back');
    const { reverts } = await convoyIs((one) => one.reverts.every(({ state }) => state === 'reverted'), 'it is undone');
    expect(reverts).toMatchObject([{ merge_sha: forge.get(back).mergeSha }]);
    expect(files('main')).toContain('later.txt');
    for (const name of ['left.txt', 'right.txt']) expect(files('main')).not.toContain(name);
    // Asked for again, nothing more is opened.
    await json<Convoy>('convoy', 'revert', id);
    expect(numbers()).toEqual([...before, landing, back]);
  },
  WAIT_MS,
);
