/**
 * Pictures of the dashboard for the documents, from the demo's own town: `npm run screenshots`. Light and dark, and the
 * screens that are used on a phone at its width. Fails when one is larger than a reader should have to load.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { Place, until } from '../test/e2e/cli-support.ts';
import { findChromium, openPage, startBrowser } from '../test/web/chromium.ts';

const FOLDER = join(import.meta.dirname, '..', 'docs', 'screenshots');
const BYTES_MAX = 100_000;
const WIDTH = 1_100;
const HEIGHT = 600;
const PHONE_WIDTH = 390;

interface Shot {
  readonly name: string;
  readonly path: string;
  readonly scheme: 'light' | 'dark';
  readonly width: number;
  /** What is there when the screen has what it asked for; it is scrolled to. */
  readonly ready: string;
}

async function take(browser: Browser, link: () => Promise<string>, base: string, shot: Shot): Promise<number> {
  const { page, context } = await openPage(browser, { scheme: shot.scheme, width: shot.width });
  await page.setViewportSize({ width: shot.width, height: HEIGHT });
  await page.goto(await link());
  await live(page);
  await page.goto(base + shot.path);
  await live(page);
  const ready = page.locator(shot.ready).first();
  await ready.waitFor();
  await ready.scrollIntoViewIfNeeded();
  const path = join(FOLDER, `${shot.name}.png`);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  await context.close();
  return statSync(path).size;
}

/** Something to decide, and something in line: an empty town shows little. */
async function needPeople(json: <T>(...args: readonly string[]) => Promise<T>): Promise<void> {
  await json('mq', 'pause', 'calc', '--reason', 'the release is cut at five');
  const work = (title: string, text: string): Promise<unknown> =>
    json('sling', title, '--rig', 'calc', '--body', `\`\`\`gt-script\n${text}\n\`\`\``);
  await work('Add power()', "echo 'export const power = (a, b) => a ** b;' > src/power.js");
  await work('Round as people do', "gt escalate 'Is 2.5 rounded to 2 or to 3?' --severity high; sleep 600");
  await until(async () => {
    const { items } = await json<{ items: readonly unknown[] }>('escalation', 'list');
    const queue = await json<{ items: readonly unknown[] }>('mq');
    return items.length > 0 && queue.items.length > 0 ? true : null;
  }, 'something needs a person');
}

const live = (page: Page): Promise<void> => page.getByTestId('stream-state').getByText(/Live$/).first().waitFor();

async function main(): Promise<number> {
  const program = findChromium();
  if (program === null) {
    console.log('NOT RUN screenshots: there is no Chromium on this machine (apt-get install chromium)');
    return 1;
  }
  const place = new Place();
  const town = place.path('demo', 'town');
  const json = <T>(...args: readonly string[]): Promise<T> => place.json<T>([...args, '--town', town]);
  const browser = await startBrowser(program);
  mkdirSync(FOLDER, { recursive: true });
  let largest = 0;
  try {
    await place.gt(['demo', '--dir', place.path('demo'), '--keep']);
    await json('up');
    const { items } = await json<{ items: readonly { id: string; title: string }[] }>('bead', 'list');
    const convoys = await json<{ items: readonly { id: string }[] }>('convoy', 'list');
    const reviewed = items.find((bead) => bead.title.includes('subtract'))?.id ?? items[0]?.id ?? '';
    const { url } = JSON.parse(place.read('demo', 'town', 'daemon', 'endpoint.json')) as { url: string };
    const link = async (): Promise<string> => (await json<{ url: string }>('dashboard')).url;
    const wide = { width: WIDTH, scheme: 'light' } as const;
    const dark = { width: WIDTH, scheme: 'dark' } as const;
    await needPeople(json);
    const shots: readonly Shot[] = [
      { ...wide, name: 'inbox', path: '/', ready: 'li[data-row]' },
      { ...wide, name: 'convoy', path: `/convoys/${convoys.items[0]?.id ?? ''}`, ready: 'svg[role=img]' },
      { ...wide, name: 'bead', path: `/beads/${reviewed}`, ready: '[aria-label=Why]' },
      { ...dark, name: 'changes-dark', path: `/beads/${reviewed}?changes=true`, ready: '[aria-label="Changed lines"]' },
      { ...dark, name: 'timeline-dark', path: '/timeline', ready: '[data-entry]' },
      { ...wide, name: 'inbox-phone', width: PHONE_WIDTH, path: '/', ready: 'li[data-row]' },
      { ...dark, name: 'train-phone', width: PHONE_WIDTH, path: '/train', ready: '[aria-label="calc → main"] li' },
    ];
    for (const shot of shots) {
      const bytes = await take(browser, link, url, shot);
      largest = Math.max(largest, bytes);
      console.log(`${shot.name}.png: ${String(Math.round(bytes / 1_000))} kB`);
    }
  } finally {
    await browser.close();
    await place.gt(['down', '--town', town]);
    place.remove();
  }
  return largest <= BYTES_MAX ? 0 : 1;
}

process.exitCode = await main();
