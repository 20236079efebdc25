/** How a case comes to a screen of the town. */
import type { Browser, Page } from 'playwright-core';
import { openPage, type Watched } from './chromium.ts';
import type { Stage } from './stage.ts';

export interface World {
  readonly stage: Stage;
  readonly browser: Browser;
}

export interface WebCase {
  readonly name: string;
  /** Answers a figure that is worth reading. */
  readonly run: (world: World) => Promise<string | undefined>;
}

export async function signedIn(
  world: World,
  look: Parameters<typeof openPage>[1] = {},
  role = 'owner',
): Promise<Watched> {
  const watched = await openPage(world.browser, look);
  await watched.page.goto((await world.stage.link(role)).url);
  await watched.page.waitForURL(`${world.stage.url()}/`);
  await live(watched.page);
  return watched;
}

export const live = (page: Page): Promise<void> =>
  page.getByTestId('stream-state').getByText(/Live$/).first().waitFor();

/** The screen has what it asked for. */
export async function settled(page: Page, path: string, base: string): Promise<void> {
  await page.goto(base + path);
  await live(page);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.getByText('Reading …').first().waitFor({ state: 'detached' });
}
