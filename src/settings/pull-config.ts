import { z } from 'zod';
import { DEFAULT_PULL, type MergingConfig, type PullPolicy } from '../core/commands.ts';
import { precondition } from '../core/errors.ts';
import type { MergeStrategy } from '../core/model/review.ts';
import type { ForgeSite } from '../core/model/pull-request.ts';
import { parseDurationMs } from './duration.ts';

/** More people than this never approve one pull request; a larger number is a mistake. */
const APPROVALS_MAX = 20;

interface PullSettings {
  readonly merge_strategy: z.ZodOptional<z.ZodEnum<{ direct: 'direct'; pr: 'pr' }>>;
  readonly pr_approvals: z.ZodOptional<z.ZodNumber>;
  readonly pr_checks: z.ZodOptional<z.ZodEnum<{ required: 'required'; optional: 'optional' }>>;
  readonly pr_threads: z.ZodOptional<z.ZodBoolean>;
  readonly pr_delay: z.ZodOptional<z.ZodUnion<readonly [z.ZodString, z.ZodNumber, z.ZodBigInt]>>;
  readonly pr_merge: z.ZodOptional<z.ZodEnum<{ auto: 'auto'; people: 'people' }>>;
}
/** How merge requests of a rig are merged, and when its pull requests are; of a rig or in `[defaults]`. */
export const pullSettings: PullSettings = {
  merge_strategy: z.enum(['direct', 'pr']).optional(),
  pr_approvals: z.number().int().min(0).max(APPROVALS_MAX).optional(),
  pr_checks: z.enum(['required', 'optional']).optional(),
  pr_threads: z.boolean().optional(),
  pr_delay: z.union([z.string(), z.number(), z.bigint()]).optional(),
  pr_merge: z.enum(['auto', 'people']).optional(),
};

interface Section {
  readonly merge_strategy?: MergeStrategy | undefined;
  readonly pr_approvals?: number | undefined;
  readonly pr_checks?: PullPolicy['checks'] | undefined;
  readonly pr_threads?: boolean | undefined;
  readonly pr_delay?: string | number | bigint | undefined;
  readonly pr_merge?: PullPolicy['merge'] | undefined;
}

/** The rig's own wins, then `[defaults]`. Error: `bad_config` (precondition) for pull requests without a code host. */
export function pullOf(
  section: Section,
  defaults: Section | undefined,
  rig: { readonly forge: ForgeSite | undefined; readonly at: string },
): Pick<MergingConfig, 'strategy' | 'pull'> {
  const strategy = section.merge_strategy ?? defaults?.merge_strategy ?? 'direct';
  if (strategy === 'pr' && rig.forge === undefined)
    throw precondition(
      'bad_config',
      `${rig.at}: merge_strategy = "pr" needs a code host, and none is set.`,
      'Write forge_token = "env:NAME" or "file:/absolute/path" (docs/pull-requests.md), or merge_strategy = "direct".',
    );
  // The rig's own settings win one by one.
  const set: Section = { ...defaults, ...onlySet(section) };
  return {
    strategy,
    pull: {
      approvals: set.pr_approvals ?? DEFAULT_PULL.approvals,
      checks: set.pr_checks ?? DEFAULT_PULL.checks,
      threads: set.pr_threads ?? DEFAULT_PULL.threads,
      delayMs: delayOf(set.pr_delay, rig.at),
      merge: set.pr_merge ?? DEFAULT_PULL.merge,
    },
  };
}

const onlySet = (section: Section): Section =>
  Object.fromEntries(Object.entries(section).filter(([, value]) => value !== undefined));

const delayOf = (delay: Section['pr_delay'], at: string): number =>
  delay === undefined || isNothing(delay) ? DEFAULT_PULL.delayMs : parseDurationMs(delay, `${at}.pr_delay`);

/** No delay has no unit. */
const isNothing = (delay: string | number | bigint): boolean => /^0+(?:ns|us|µs|ms|s|m|h)?$/.test(String(delay).trim());
