/** Mail in threads, the town as it was, trains that rest, addresses that keep what a list shows, and how often things are read. */
import { deepStrictEqual as equal, ok } from 'node:assert';
import { until } from '../e2e/cli-support.ts';
import { settled, signedIn, type WebCase, type World } from './page.ts';
import { HOSTILE } from './stage.ts';

interface Mails {
  readonly items: readonly { readonly id: string; readonly subject: string; readonly reply_to: string | null }[];
}

/** An agent asked and a person answers: both mails are one thread, and the answer names what it answers. */
async function mailThreads(world: World): Promise<undefined> {
  const { stage } = world;
  await stage.bead('Writes a letter', `gt mail send human/ 'Which colour?' --body '${HOSTILE}'; sleep 20`, true);
  const asked = await until(async () => {
    const { items } = (await (await stage.call('GET', 'mail?all=true')).json()) as Mails;
    return items.find((mail) => mail.subject === 'Which colour?') ?? null;
  }, 'the letter is there');
  const { page, context, complaints } = await signedIn(world);
  await page.keyboard.press('g');
  await page.keyboard.press('l');
  const row = page.locator('li[data-row]').filter({ hasText: 'Which colour?' });
  await row.getByRole('button', { name: 'Which colour?' }).press('Enter');
  await row.getByText(HOSTILE).waitFor();
  equal(await page.evaluate(() => 'pwned' in globalThis), false);
  await row.getByLabel('Answer').fill('Green.');
  await row.getByRole('button', { name: 'Send' }).click();
  await row.locator('[data-mail]').filter({ hasText: 'Green.' }).waitFor();
  // The address leads to the same thread.
  await page.reload();
  await row.locator('[data-mail]').filter({ hasText: 'Green.' }).waitFor();
  equal(await row.locator('[data-mail]').count(), 2);
  const agent = /with (\S+),/.exec((await row.getByRole('button').first().textContent()) ?? '')?.[1] ?? '';
  const box = (await (await stage.call('GET', `mail?address=${encodeURIComponent(agent)}&all=true`)).json()) as Mails;
  equal(box.items.find((mail) => mail.subject === 'Re: Which colour?')?.reply_to, asked.id);
  equal(complaints, []);
  await context.close();
  return undefined;
}

/** Back to a moment: what came later is not there, and each thing has the state that it had. */
async function replay(world: World): Promise<string> {
  const { stage } = world;
  const { page, context, complaints } = await signedIn(world);
  await settled(page, `/timeline?q=${encodeURIComponent(`bead:${stage.merged}`)}`, stage.url());
  const entries = page.locator('[data-entry]');
  await entries.first().waitFor();
  const all = Number(await page.getByLabel('Moment').getAttribute('max')) + 1;
  const was = page.locator(`[data-state-of="bead:${stage.merged}"]`);
  // The end of it, then back to where its agent began.
  await page.getByRole('button', { name: 'Step back' }).click();
  await page.getByText('As it was at').waitFor();
  const slider = page.getByLabel('Moment');
  await slider.focus();
  await page.keyboard.press('Home');
  await page.waitForFunction(`document.querySelectorAll('[data-entry]').length === 1`);
  let steps = 0;
  for (; !((await was.textContent({ timeout: 100 }).catch(() => '')) ?? '').includes('in progress'); steps += 1) {
    ok(steps < all, 'it never was in progress');
    await page.keyboard.press('ArrowRight');
  }
  const url = page.url();
  ok(new URL(url).searchParams.has('at'));
  await settled(page, url.slice(stage.url().length), stage.url());
  await was.getByText('in progress').waitFor();
  await page.getByRole('button', { name: 'Now' }).click();
  await page.getByText('As it happens.').waitFor();
  await page.waitForFunction(`document.querySelectorAll('[data-entry]').length >= ${String(Math.min(all, 10))}`);
  equal(complaints, []);
  await context.close();
  return `step ${String(steps + 1)} of ${String(all)}`;
}

async function pauseAndFilter(world: World): Promise<undefined> {
  const { stage } = world;
  const { page, context, complaints } = await signedIn(world);
  await settled(page, '/train', stage.url());
  await page.getByLabel('Pause main because').fill('the release is cut');
  await page.getByRole('button', { name: 'Pause app' }).click();
  await page.getByText('the release is cut').first().waitFor();
  const rig = async (): Promise<{ stopped_trains: readonly unknown[] }> =>
    (await (await stage.call('GET', 'rigs/app')).json()) as { stopped_trains: readonly unknown[] };
  equal((await rig()).stopped_trains.length, 1);
  await page.getByRole('button', { name: 'Let main go on' }).click();
  await page.getByLabel('Pause main because').waitFor();
  equal((await rig()).stopped_trains, []);
  await settled(page, '/beads', stage.url());
  await page.getByLabel('Show').selectOption('Closed');
  await page.getByLabel('with').fill('Add a file');
  await page.waitForFunction(`document.querySelectorAll('tr[data-row]').length === 1`);
  const { searchParams } = new URL(page.url());
  equal([searchParams.get('status'), searchParams.get('q')], ['closed', 'Add a file']);
  await page.reload();
  await page.locator('tr[data-row]').first().waitFor();
  equal(await page.locator('tr[data-row]').count(), 1);
  equal(complaints, []);
  await context.close();
  return undefined;
}

const CHANGES = 40;
/** What comes within 150 ms is read together. */
const READS_PER_SECOND_MAX = 6.7;

/** Many changes are read a few times; a page that nobody looks at reads nothing, and all of it when it is looked at again. */
async function rereads(world: World): Promise<string> {
  const { stage } = world;
  const { page, context } = await signedIn(world);
  await settled(page, `/beads/${stage.staged}`, stage.url());
  let reads = 0;
  page.on('request', (request) => {
    if (request.method() === 'GET' && request.url().endsWith(`/beads/${stage.staged}`)) reads += 1;
  });
  const change = async (title: string): Promise<void> =>
    equal((await stage.call('POST', `beads/${stage.staged}/update`, { title })).status, 200);
  const beganMs = performance.now();
  for (let index = 0; index < CHANGES; index += 1) await change(`Burst ${String(index)}`);
  await page.getByRole('heading', { name: `Burst ${String(CHANGES - 1)}` }).waitFor();
  const seconds = (performance.now() - beganMs) / 1_000;
  const most = Math.ceil(seconds * READS_PER_SECOND_MAX) + 2;
  ok(reads > 0 && reads <= most, `${String(reads)} reads in ${String(seconds)} s`);
  const hide = (hidden: boolean): Promise<void> =>
    page.evaluate(
      `Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${String(hidden)} });
       document.dispatchEvent(new Event('visibilitychange'));`,
    );
  await hide(true);
  const before = reads;
  await change('While nobody looked');
  await page.waitForTimeout(1_000);
  equal(reads, before);
  await hide(false);
  await page.getByRole('heading', { name: 'While nobody looked' }).waitFor();
  await context.close();
  return `${String(CHANGES)} changes in ${seconds.toFixed(1)} s: ${String(before)} reads`;
}

/** CI leaves out what `npm run bench -- dashboards` measures as well. */
export const talkCases = (isShort: boolean): readonly WebCase[] => [
  { name: 'mail in threads, answered where it is read', run: mailThreads },
  { name: 'the timeline goes back to a moment', run: replay },
  { name: 'a train is paused with a reason; the address keeps what a list shows', run: pauseAndFilter },
  ...(isShort ? [] : [{ name: 'many changes are read a few times, and none while nobody looks', run: rereads }]),
];
