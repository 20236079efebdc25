/** `gt usage`: an agent's programs say what they used. A line in a file, so that it works when nothing answers. */
import { appendFileSync } from 'node:fs';
import { precondition, usage as usageError } from '../../core/errors.ts';
import { REASON_CHARS_MAX } from '../../core/limits.ts';
import { parseDurationMs } from '../../settings/duration.ts';
import type { Arguments } from '../arguments.ts';
import type { CommandSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

/** Of one report; more is a mistake of a unit. */
const TOKENS_MAX = 999_999_999;
const USD_MAX = 10_000;

export const usage: CommandSpec = {
  usage:
    'gt usage [--tokens-in <n>] [--tokens-out <n>] [--tokens-cached <n>] [--cost-usd <x>] [--model <name>] [--limited] [--limited-until <when>]',
  summary: 'say what I used since I last said so, or that my provider refuses for lack of quota',
  examples: [
    'gt usage --tokens-in 1200 --tokens-out 300 --model claude-sonnet-4-5',
    'gt usage --cost-usd 0.42 --key turn-7',
    'gt usage --limited-until 45m --reason "rate limit of the provider"',
  ],
  options: {
    'tokens-in': { type: 'string', value: 'n', help: 'input tokens since the last report, without cached ones' },
    'tokens-out': { type: 'string', value: 'n', help: 'output tokens since the last report' },
    'tokens-cached': { type: 'string', value: 'n', help: 'cached input tokens since the last report' },
    'cost-usd': { type: 'string', value: 'x', help: 'what that cost in US dollars; without it the price list is used' },
    model: { type: 'string', value: 'name', help: 'the model that was used' },
    key: { type: 'string', value: 'text', help: 'a report with the same key counts once' },
    limited: { type: 'boolean', help: 'my provider refuses for lack of quota, and does not say until when' },
    'limited-until': { type: 'string', value: 'when', help: 'it refuses until then: 45m, or 2026-01-31T12:00:00Z' },
    reason: { type: 'string', value: 'text', help: 'what the provider said' },
  },
  notes:
    'Reports add up. Each is one line of JSON in the file $GT_USAGE_FILE; any program may append such a line itself. An agent that says it is limited and ends is tried again when its window opens, and nothing is charged to its bead.',
  run: (context, args) => {
    const file = context.env['GT_USAGE_FILE'];
    if (file === undefined || file === '')
      throw precondition(
        'not_an_agent',
        'This command is for agents: GT_USAGE_FILE is not set here.',
        'A person sees what was used with "gt costs".',
      );
    const report = reportOf(args);
    try {
      appendFileSync(file, `${JSON.stringify(report)}\n`, { mode: 0o600 });
    } catch (error) {
      throw precondition(
        'state_dir_unwritable',
        `The report can't be written to ${file}: ${error instanceof Error ? error.message : String(error)}.`,
        'Go on working; only the account of what you used is missing.',
      );
    }
    context.print(context.json ? JSON.stringify(report) : 'recorded');
    return EXIT.ok;
  },
};

function reportOf(args: Arguments): Readonly<Record<string, unknown>> {
  const range = { min: 0, max: TOKENS_MAX };
  const amounts = {
    tokens_in: args.number('tokens-in', range),
    tokens_out: args.number('tokens-out', range),
    tokens_cached: args.number('tokens-cached', range),
    cost_usd: usdOf(args, 'cost-usd', USD_MAX),
  };
  const until = args.text('limited-until');
  const isLimited = args.flag('limited') || until !== undefined;
  if (!isLimited && Object.values(amounts).every((value) => value === undefined))
    throw usageError('nothing_to_report', 'The report says nothing.', 'Give tokens, --cost-usd or --limited-until.');
  const limit = isLimited
    ? {
        limited: true,
        ...(until === undefined ? {} : { limited_until_ms: whenMs(until) }),
        reason: (args.text('reason') ?? '').slice(0, REASON_CHARS_MAX),
      }
    : {};
  const model = args.text('model');
  const key = args.text('key');
  return {
    ...amounts,
    ...(model === undefined ? {} : { model }),
    ...(key === undefined ? {} : { key }),
    ...limit,
    at: Date.now(),
  };
}

/** Errors: `bad_amount`. */
export function usdOf(args: Arguments, option: string, max: number): number | undefined {
  const text = args.text(option);
  if (text === undefined) return undefined;
  const value = /^\d{1,9}(?:\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= max) return value;
  throw usageError(
    'bad_amount',
    `${JSON.stringify(text.slice(0, 40))} is not an amount of US dollars from 0 to ${String(max)}.`,
    'Write it like 0.42 or 25.',
    option,
  );
}

/** A length of time from now, or a moment. Errors: `bad_time`. */
function whenMs(text: string): number {
  const moment = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(moment)) return moment;
  if (/^\d/.test(text) && /[smh]$/.test(text)) return Date.now() + parseDurationMs(text, 'limited-until');
  throw usageError(
    'bad_time',
    `${JSON.stringify(text.slice(0, 40))} is neither a length of time nor a moment.`,
    'Write it like 45m or 2026-01-31T12:00:00Z.',
    'limited-until',
  );
}
