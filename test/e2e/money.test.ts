/** A budget that stops dispatch and a quota window, with the real daemon, the real runner and real programs as agents. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Place } from './cli-support.ts';

interface BeadItem {
  readonly id: string;
  readonly status: string;
  readonly hold: string | null;
  readonly failures: number;
}

const recipe = (lines: string): string => `Do it.\n\n\`\`\`gt-script\n${lines}\n\`\`\`\n`;

describe('money and quota with real agents', () => {
  const place = new Place();
  const town = place.path('town');
  const gt = (args: readonly string[]) => place.gt([...args, '--town', town]);
  const json = <T>(args: readonly string[]) => place.json<T>([...args, '--town', town]);
  const show = (id: string): Promise<BeadItem> => json<BeadItem>(['bead', 'show', id]);
  let number = 0;

  async function sling(lines: string): Promise<string> {
    number += 1;
    const file = place.file(`bead-${String(number)}.md`, recipe(lines));
    return (await json<BeadItem>(['sling', `work ${String(number)}`, '--rig', 'app', '--body-file', file])).id;
  }
  async function until(what: string, is: () => Promise<boolean>): Promise<void> {
    for (const endMs = Date.now() + 60_000; Date.now() < endMs; await new Promise((done) => setTimeout(done, 200)))
      if (await is()) return;
    throw new Error(`not in time: ${what}\n${(await gt(['feed'])).out.slice(-3_000)}`);
  }
  const isClosed = (id: string) => async (): Promise<boolean> => (await show(id)).status === 'closed';

  beforeAll(async () => {
    await place.gt(['init', town]);
    await place.gt(['rig', 'add', 'app', place.origin('app'), '--town', town]);
    const up = await gt(['up']);
    expect(up.code, up.err).toBe(0);
  }, 120_000);

  afterAll(async () => {
    await gt(['down']);
    place.remove();
  }, 60_000);

  it('stops at a budget, says why, and goes on when it is raised', async () => {
    expect((await gt(['budget', 'set', 'town', '--usd', '1'])).code).toBe(0);
    const first = await sling(
      'gt usage --cost-usd 0.7 --key a\ngt usage --cost-usd 0.7 --key a\necho \'{"cost_usd":0.5,"tokens_in":5}\' >> "$GT_USAGE_FILE"\necho rubbish >> "$GT_USAGE_FILE"\necho 1 > one.txt',
    );
    await until('the first is merged', isClosed(first));
    const costs = async () => (await json<{ total: { micro_usd: number | null } }>(['costs'])).total.micro_usd;
    await until('its cost is known', async () => (await costs()) === 1_200_000);
    const second = await sling('echo 2 > two.txt');
    const why = await gt(['why', second]);
    expect(why.out).toContain('waits for the budget of town: spent $1.20 of $1.00, $0.00 reserved');
    expect(why.out).toContain('gt budget set town --usd');
    expect((await show(second)).status).toBe('open');
    expect((await gt(['inbox'])).out).toContain('Used up');
    expect((await gt(['budget', 'set', 'town', '--usd', '10'])).code).toBe(0);
    await until('the second is merged', isClosed(second));
    expect((await gt(['costs'])).out).toContain('spent     $1.20, ');
    const byBead = (await gt(['costs', '--by', 'bead'])).out;
    expect(byBead).toMatch(new RegExp(`${first} +\\$1\\.20 `));
    expect(byBead).toMatch(new RegExp(`${second} +\\$0\\.00 `));
  }, 150_000);

  it('parks what its provider refuses, and takes it up again when the window opens', async () => {
    const mark = place.path('refused-once');
    const id = await sling(
      `if [ ! -e ${mark} ]; then touch ${mark}; gt usage --limited-until 8s --reason "too many requests"; exit 3; fi\necho 3 > three.txt`,
    );
    await until('it is parked', async () => (await show(id)).hold === 'parked');
    const other = await sling('echo 4 > four.txt');
    expect((await show(other)).status).toBe('open');
    expect((await gt(['status'])).out).toContain('quota of script for default is used up');
    await until('it is merged', isClosed(id));
    await until('the other is merged', isClosed(other));
    expect(await show(id)).toMatchObject({ failures: 0 });
    const { waste } = await json<{ waste: readonly { cause: string }[] }>(['costs', '--bead', id]);
    expect(waste.map((row) => row.cause)).toEqual(['quota']);
  }, 150_000);

  it('refuses wrong input with a code, and changes nothing', async () => {
    for (const args of [
      ['budget', 'set', 'rig', 'nope', '--usd', '1'],
      ['budget', 'set', 'moon', '--usd', '1'],
      ['budget', 'set', 'town', '--usd', '-1'],
      ['budget', 'set', 'town'],
      ['budget', 'set', 'town', '--usd', '1', '--tokens', '5'],
      ['budget', 'remove', 'town', '--tokens'],
      ['costs', '--since', 'yesterday'],
      ['costs', '--rig', 'nope'],
      ['costs', '--by', 'moon'],
      ['usage', '--cost-usd', '1'],
    ])
      expect((await gt(args)).code, args.join(' ')).not.toBe(0);
    const { items } = await json<{ items: readonly { id: string }[] }>(['budget', 'list']);
    expect(items.map((item) => item.id)).toEqual(['town:usd:hard']);
  }, 60_000);
});
