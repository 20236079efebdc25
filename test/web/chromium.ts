/** A real Chromium of the distribution, and a page that remembers what its console said. */
import { execFileSync } from 'node:child_process';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
/** Nothing that talks to anybody else. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Whatever a page is to show is there far sooner; a loaded machine takes its time. */
const WAIT_MS = 10_000;

/** Null: this machine has none. */
export function findChromium(): string | null {
  for (const name of NAMES) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      // The next name.
    }
  }
  return null;
}

export const startBrowser = (program: string): Promise<Browser> =>
  chromium.launch({ executablePath: program, args: FLAGS, headless: true });

export interface Watched {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page's console complained about, without what a test provoked. */
  readonly complaints: string[];
}

export async function openPage(
  browser: Browser,
  look: { readonly scheme?: 'light' | 'dark'; readonly width?: number; readonly context?: BrowserContext } = {},
): Promise<Watched> {
  const width = look.width ?? 1_280;
  const context =
    look.context ??
    (await browser.newContext({ colorScheme: look.scheme ?? 'light', viewport: { width, height: 800 } }));
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return { page, context, complaints };
}
