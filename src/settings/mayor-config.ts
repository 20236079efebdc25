import { z } from 'zod';
import { precondition } from '../core/errors.ts';
import type { MayorConfig } from '../core/model/mayor.ts';
import type { RuntimePreset } from '../core/runtime-presets.ts';
import { RUNTIMES } from '../core/runtimes.ts';
import { parseDurationMs } from './duration.ts';

/** Longer than any answer takes; it ends a process that hangs, since nobody watches the mayor. */
const WALL_CLOCK_DEFAULT = '30m';
const RUNTIME_DEFAULT = 'command';
/** Runs recipes of beads; a conversation has none. */
const NO_CONVERSATION = 'script';

const text = z.string().min(1).max(4_096);

/** `[mayor]` of the town's file. */
export interface MayorSection {
  readonly enabled?: boolean | undefined;
  readonly runtime?: string | undefined;
  readonly model?: string | undefined;
  readonly command?: string | undefined;
  readonly wall_clock?: string | number | bigint | undefined;
}
const section = z.strictObject({
  enabled: z.boolean().optional(),
  runtime: text.optional(),
  model: text.optional(),
  command: text.optional(),
  wall_clock: z.union([z.string(), z.number(), z.bigint()]).optional(),
});
export const mayorSection: z.ZodType<MayorSection> = section;
export const MAYOR_KEYS: readonly string[] = Object.keys(section.shape);

/** Null without the section or with `enabled = false`. Errors (precondition): `bad_config`. */
export function mayorConfig(
  given: MayorSection | undefined,
  ownerEmail: string,
  path: string,
  town: Pick<MayorConfig, 'shield' | 'prices'> & { readonly runtimes: Readonly<Record<string, RuntimePreset>> },
): MayorConfig | null {
  if (given === undefined || given.enabled === false) return null;
  const runtime = given.runtime ?? RUNTIME_DEFAULT;
  const { runtimes, ...rest } = town;
  const own = Object.hasOwn(runtimes, runtime) ? runtimes[runtime] : undefined;
  const known = [...new Set([...RUNTIMES, ...Object.keys(runtimes)])].filter((name) => name !== NO_CONVERSATION);
  if (!known.some((name) => name === runtime))
    throw precondition(
      'bad_config',
      `${path}: mayor.runtime ${JSON.stringify(runtime)} can't hold a conversation.`,
      `Choose one of: ${known.join(', ')}.`,
    );
  if (runtime === 'command' && given.command === undefined)
    throw precondition(
      'bad_config',
      `${path}: [mayor] names no command.`,
      'Set command = "…" there, or enabled = false.',
    );
  return {
    runtime,
    model: given.model ?? null,
    command: given.command ?? null,
    wallClockMs: parseDurationMs(given.wall_clock ?? WALL_CLOCK_DEFAULT, 'mayor.wall_clock'),
    ownerEmail,
    ...(own === undefined ? {} : { preset: own }),
    ...rest,
  };
}
