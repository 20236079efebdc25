import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Notification, NotifyOutcome } from '../../ports/notifier.ts';

/** A notice that is not shown by then waits for a desktop that does not answer. */
const SHOW_TIMEOUT_MS = 5_000;
const TITLE_CHARS_MAX = 80;
/** More does not fit into the notice of any desktop. */
const BODY_CHARS_MAX = 240;

const run = promisify(execFile);

/** What shows a notice: the texts are arguments of their own, never part of a script. */
type Shower = (title: string, body: string) => readonly [program: string, args: readonly string[]];

const MAC_SCRIPT = ['on run argv', 'display notification (item 2 of argv) with title (item 1 of argv)', 'end run'];

const SHOWERS: Readonly<Partial<Record<NodeJS.Platform, Shower>>> = {
  // The body is markup to some desktops.
  linux: (title, body) => ['notify-send', ['--urgency=critical', '--app-name=Gas Town', '--', title, escaped(body)]],
  darwin: (title, body) => ['osascript', [...MAC_SCRIPT.flatMap((line) => ['-e', line]), title, body]],
};

/**
 * Shows an escalation on the desktop of this machine. Without the program that does it, or on a platform without one, it
 * has failed for good; a desktop that does not answer may do so later.
 */
export async function showOnDesktop(
  town: string,
  notification: Notification,
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): Promise<NotifyOutcome> {
  const shower = SHOWERS[platform];
  if (shower === undefined) return { state: 'failed', error: `there are no desktop notices on ${platform}` };
  const title = oneLine(`${town}: ${notification.severity}, ${notification.subject}`).slice(0, TITLE_CHARS_MAX);
  const [program, args] = shower(title, oneLine(notification.message).slice(0, BODY_CHARS_MAX));
  try {
    await run(program, args, { env, timeout: SHOW_TIMEOUT_MS });
    return { state: 'sent' };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return { state: 'failed', error: `${program} is not installed on this machine` };
    return { state: 'retry', error: `${program} did not show it: ${oneLine(String(error)).slice(0, BODY_CHARS_MAX)}` };
  }
}

const oneLine = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ').trim();
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
