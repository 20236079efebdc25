import { deepStrictEqual as equal, ok } from 'node:assert';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { AxeBuilder } from '@axe-core/playwright';
import type { BrowserContext, Page } from 'playwright-core';
import { openPage } from './chromium.ts';
import { live, settled, signedIn, type WebCase, type World } from './page.ts';
import { talkCases } from './talk-cases.ts';
import { DECISION_CASES } from './decision-cases.ts';
import { REVIEW_CASES } from './review-cases.ts';
import { HOSTILE, LOG_LINES, type Stage } from './stage.ts';

const FIRST_LOAD_BYTES_MAX = 180_000;
const LIVE_MS_MAX = 1_000;
const LINES_IN_PAGE_MAX = 200;
const PHONE_WIDTH = 390;

const paths = (stage: Stage): readonly string[] => [
  '/',
  '/beads',
  `/beads/${stage.merged}`,
  '/convoys',
  `/convoys/${stage.convoy}`,
  '/train',
  '/agents',
  `/agents/${encodeURIComponent('app/polecats/nux')}`,
  '/mail',
  '/timeline',
  '/health',
  '/costs',
];

const isPwned = (page: Page): Promise<boolean> => page.evaluate(() => 'pwned' in globalThis);

async function signIn({ stage, browser }: World): Promise<undefined> {
  const { url } = await stage.link();
  const { page, context } = await openPage(browser);
  await page.goto(`${stage.url()}/`);
  await page.getByText('You are signed out.').waitFor();
  await page.goto(url);
  await live(page);
  const cookies = await context.cookies();
  equal(
    cookies.map(({ httpOnly, sameSite }) => [httpOnly, sameSite]),
    [[true, 'Strict']],
  );
  equal((await page.goto(url))?.status(), 410);
  await context.close();
  const name = cookies[0]?.name ?? '';
  const cookie = `${name}=${cookies[0]?.value ?? ''}`;
  const asked = async (method: string, headers: Record<string, string>): Promise<number> =>
    (
      await fetch(`${stage.url()}/api/v1/towns/_/${method === 'GET' ? 'status' : `beads/${stage.staged}/hold`}`, {
        method,
        headers: { cookie, ...headers },
      })
    ).status;
  equal(
    [
      await asked('GET', {}),
      await asked('POST', { 'content-type': 'application/json' }),
      await asked('POST', { origin: 'http://127.0.0.1:1', 'content-type': 'application/json' }),
      await asked('GET', { 'sec-fetch-site': 'same-site' }),
      await asked('GET', { cookie: `${cookie}x` }),
    ],
    [200, 403, 403, 403, 401],
  );
  return undefined;
}

async function everyScreen(world: World): Promise<string> {
  const { stage } = world;
  const { page, context, complaints } = await signedIn(world);
  const strangers: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(stage.url()) && !request.url().startsWith('data:')) strangers.push(request.url());
  });
  for (const path of paths(stage)) {
    await settled(page, path, stage.url());
    if (path.endsWith(stage.convoy)) await page.locator('svg[role=img]').getByText('The second').waitFor();
  }
  equal(complaints, []);
  equal(strangers, []);
  await context.close();
  return `${String(paths(stage).length)} screens`;
}

async function firstLoad(world: World): Promise<string> {
  const { page, context } = await openPage(world.browser);
  let bytes = 0;
  const bodies: Promise<void>[] = [];
  page.on('response', (response) => {
    if (/\.(?:js|css)$|\/$/.test(new URL(response.url()).pathname))
      bodies.push(
        response.body().then(
          (body) => void (bytes += gzipSync(body).length),
          () => undefined,
        ),
      );
  });
  await page.goto((await world.stage.link()).url);
  await live(page);
  await Promise.all(bodies);
  ok(bytes > 10_000 && bytes <= FIRST_LOAD_BYTES_MAX, `${String(bytes)} bytes`);
  await context.close();
  return `${String(Math.round(bytes / 1_000))} kB gzip of at most ${String(FIRST_LOAD_BYTES_MAX / 1_000)}`;
}

async function liveUpdate(world: World): Promise<string> {
  const { stage } = world;
  const { page, context, complaints } = await signedIn(world);
  await settled(page, `/beads/${stage.staged}`, stage.url());
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const title = `Title ${String(round)}`;
    const beganMs = performance.now();
    const answer = await stage.call('POST', `beads/${stage.staged}/update`, { title });
    equal(answer.status, 200);
    await page.getByRole('heading', { name: title }).waitFor();
    times.push(performance.now() - beganMs);
  }
  const slowest = Math.max(...times);
  ok(slowest < LIVE_MS_MAX, `${String(slowest)} ms`);
  equal(complaints, []);
  await context.close();
  return `slowest of 5: ${String(Math.round(slowest))} ms from the call to the screen`;
}

async function leftAndBack(world: World): Promise<string> {
  const { stage } = world;
  const { page, context } = await signedIn(world);
  await settled(page, '/timeline', stage.url());
  await page.locator('[data-entry]').first().waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('b');
  await page.getByRole('heading', { level: 1, name: 'Beads' }).waitFor();
  const id = await stage.bead('Made while nobody looked', 'true', false);
  await page.locator(`tr[data-row]`).filter({ hasText: 'Made while nobody looked' }).waitFor();
  await page.goBack();
  await page.getByPlaceholder('bead, rule, word').fill(`bead:${id}`);
  await page.locator('[data-entry]').first().waitFor();
  await context.close();
  return id;
}

async function cutAndResumed(world: World): Promise<string> {
  const { stage } = world;
  const { page, context } = await signedIn(world);
  await settled(page, '/timeline', stage.url());
  const base = stage.url();
  await stage.must('daemon', 'stop');
  await page.getByText(/what you see is as of/).waitFor();
  await stage.json('up');
  equal(stage.url(), base, 'the daemon comes back under the same address');
  const id = await stage.bead('Made meanwhile', 'echo meanwhile > m.txt', true);
  await stage.closed(id);
  await live(page);
  const feed = (await (await stage.call('GET', 'feed?tail=500')).json()) as { items: { entity: string }[] };
  const wanted = feed.items.filter((item) => item.entity === `bead:${id}`).length;
  await page.getByPlaceholder('bead, rule, word').fill(`bead:${id}`);
  await page.waitForFunction(`document.querySelectorAll('[data-entry]').length === ${String(wanted)}`);
  await context.close();
  return `${String(wanted)} rows of the bead, each once`;
}

async function keyboardOnly(world: World): Promise<undefined> {
  const { stage } = world;
  const { page, context, complaints } = await signedIn(world);
  const heading = (name: string): Promise<void> => page.getByRole('heading', { level: 1, name }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('b');
  await heading('Beads');
  await page.locator('tr[data-row]').first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  await page.keyboard.press('w');
  await page.getByRole('dialog').getByText('Rule').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('?');
  await page.getByRole('dialog').getByText('next row').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('/');
  await page.getByPlaceholder('A screen, bead, convoy or agent').fill(stage.merged);
  await page.getByRole('dialog').getByText(`gt bead show ${stage.merged}`).waitFor();
  await page.keyboard.press('Enter');
  await heading(stage.merged);
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await heading('Convoys');
  await page.locator('li[data-row]').first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await heading(stage.convoy);
  await page.keyboard.press('g');
  await page.keyboard.press('i');
  await heading('Inbox');
  equal(complaints, []);
  await context.close();
  return undefined;
}

async function serious(page: Page): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
    .analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
}

/** CI looks at one screen in each look; by hand each screen in each. */
async function axe(world: World, isShort: boolean): Promise<string> {
  const looks = [
    { scheme: 'light' as const },
    { scheme: 'dark' as const },
    { scheme: 'light' as const, width: PHONE_WIDTH },
  ];
  let checked = 0;
  for (const [index, look] of looks.entries()) {
    const { page, context } = await signedIn(world, look);
    const all = paths(world.stage);
    for (const path of isShort ? all.slice(index, index + 1) : all) {
      await settled(page, path, world.stage.url());
      equal(await serious(page), [], `${path} ${JSON.stringify(look)}`);
      const isWide = await page.evaluate<boolean>(
        'document.documentElement.scrollWidth > document.documentElement.clientWidth',
      );
      ok(!isWide, `${path} scrolls sideways ${JSON.stringify(look)}`);
      checked += 1;
    }
    await context.close();
  }
  return `${String(checked)} screens`;
}

async function attemptOf(stage: Stage, id: string): Promise<string> {
  const bead = await stage.json<{ attempt_list: { id: string }[] }>('bead', 'show', id);
  return bead.attempt_list.at(-1)?.id ?? '';
}

async function hostile(world: World): Promise<undefined> {
  const { stage } = world;
  const { page, context } = await signedIn(world);
  const attempt = await attemptOf(stage, stage.loud);
  for (const path of ['/', '/beads', `/beads/${stage.loud}`, `/agents/${attempt}`, '/timeline', '/convoys']) {
    await settled(page, path, stage.url());
    if (path.startsWith('/agents')) {
      await page.getByRole('log').getByText('the very last line').waitFor();
      await page.getByRole('log').evaluate((log) => log.scrollTo(0, 0));
      await page.getByRole('log').getByText(HOSTILE).waitFor();
      await page.getByRole('log').getByText('red', { exact: true }).waitFor();
      equal(await page.getByRole('log').getByText('[31m').count(), 0);
    }
    if (path === `/beads/${stage.loud}`) await page.getByRole('heading', { name: HOSTILE }).waitFor();
    equal([path, await isPwned(page)], [path, false]);
    equal([path, await page.locator('img').count()], [path, 0]);
  }
  await context.close();
  return undefined;
}

async function longLog(world: World): Promise<string> {
  const { stage } = world;
  const { page, context, complaints } = await signedIn(world);
  await settled(page, `/agents/${await attemptOf(stage, stage.loud)}`, stage.url());
  const log = page.getByRole('log');
  await log.getByText('the very last line').waitFor();
  const inPage = (): Promise<number> => page.locator('[data-line]').count();
  const counts = [await inPage()];
  await page.getByLabel('Find').fill('12345');
  await page.getByRole('button', { name: 'Next' }).click();
  await log.getByText('12345', { exact: true }).waitFor();
  counts.push(await inPage());
  await page.getByRole('button', { name: 'To the end' }).click();
  await log.getByText('the very last line').waitFor();
  const total = Number(/(\d+) lines/.exec((await page.getByText(/\d+ lines\./).textContent()) ?? '')?.[1]);
  ok(total >= LOG_LINES, `${String(total)} lines`);
  ok(Math.max(...counts) > 0 && Math.max(...counts) <= LINES_IN_PAGE_MAX, String(counts));
  equal(complaints, []);
  await context.close();
  return `${String(total)} lines, at most ${String(Math.max(...counts))} of them in the page`;
}

async function honest(world: World): Promise<undefined> {
  const { stage } = world;
  const { page, context } = await signedIn(world);
  await page.goto(`${stage.url()}/beads/app-zzzzz`);
  await page.getByRole('alert').getByText('Not found.').waitFor();
  let isBroken = true;
  await page.route('**/api/v1/towns/_/beads?*', (route) =>
    isBroken ? route.fulfill({ status: 500, body: '{}' }) : route.continue(),
  );
  await page.goto(`${stage.url()}/beads`);
  await page.getByRole('alert').getByText('Unavailable.').waitFor();
  equal(await page.getByText('No bead is like that').count(), 0);
  isBroken = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('tr[data-row]').first().waitFor();
  await context.close();
  return undefined;
}

async function viewer(world: World): Promise<undefined> {
  const { stage } = world;
  const { page, context } = await signedIn(world, {}, 'viewer');
  await settled(page, `/beads/${stage.staged}`, stage.url());
  await page.getByRole('button', { name: 'Sling' }).click();
  await page.getByText('who reads and changes nothing').waitFor();
  const { token } = await stage.link('viewer');
  const metrics = await fetch(`${stage.url()}/metrics`, { headers: { authorization: `Bearer ${token ?? ''}` } });
  equal([metrics.status, (await metrics.text()).includes('gt_beads{rig="app",status="closed"}')], [200, true]);
  equal((await fetch(`${stage.url()}/metrics`)).status, 401);
  await context.close();
  return undefined;
}

async function act(world: World): Promise<undefined> {
  const { stage } = world;
  const { page, context } = await signedIn(world);
  const id = await stage.bead('Slung by hand', 'echo hand > hand.txt', false);
  await settled(page, `/beads/${id}`, stage.url());
  await page.getByRole('button', { name: 'Sling' }).click();
  await page.getByLabel('Why').getByText('merged').first().waitFor();
  await settled(page, '/', stage.url());
  const row = page.locator('li[data-row]').filter({ hasText: 'escalation' }).first();
  await row.waitFor();
  equal(await row.getByRole('link').getAttribute('href'), `/beads/${stage.asking}`);
  await row.getByRole('button').first().focus();
  await page.keyboard.press('a');
  await page.getByText('takes care of it').waitFor();
  await context.close();
  return undefined;
}

const pictures = (folder: string): WebCase => ({
  name: 'pictures',
  run: async (world) => {
    const context: BrowserContext = (await signedIn(world)).context;
    const { page } = await openPage(world.browser, { context });
    const name = (path: string): string =>
      path === '/'
        ? 'inbox'
        : path
            .slice(1)
            .replaceAll(/[^a-z]+/g, '-')
            .slice(0, 20);
    for (const path of paths(world.stage)) {
      await settled(page, path, world.stage.url());
      await page.screenshot({ path: join(folder, `${name(path)}.png`) });
    }
    return folder;
  },
});

export const cases = (screenshots: string | null, isShort: boolean): readonly WebCase[] => [
  { name: 'a link signs in once; the cookie counts for the own page only', run: signIn },
  { name: 'each screen by its address, nothing in the console, nothing from elsewhere', run: everyScreen },
  { name: 'the first load is small', run: firstLoad },
  { name: 'a change is on the screen within a second', run: liveUpdate },
  { name: 'a person acts, and sees what comes of it', run: act },
  { name: 'a daemon that goes and comes back leaves no row out and doubles none', run: cutAndResumed },
  { name: 'a timeline that was left has what came meanwhile', run: leftAndBack },
  { name: 'everything by keyboard', run: keyboardOnly },
  { name: 'axe finds nothing serious: light, dark, phone', run: (world) => axe(world, isShort) },
  { name: 'hostile words stay words', run: hostile },
  { name: 'a log of 20,000 lines', run: longLog },
  { name: 'what can not be read is not shown as nothing', run: honest },
  { name: 'a viewer reads and changes nothing', run: viewer },
  ...REVIEW_CASES,
  ...DECISION_CASES,
  ...talkCases(isShort),
  ...(screenshots === null ? [] : [pictures(screenshots)]),
];
