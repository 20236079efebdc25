import { z } from 'zod';
import { REVIEW_TIMEOUT_MS } from '../core/limits.ts';
import { UNANSWERED, type Reviewer, type Unanswered } from '../core/model/reviewer.ts';
import { parseDurationMs } from './duration.ts';

type Duration = string | number | bigint;

const unanswered: z.ZodEnum<{ [One in Unanswered]: One }> = z.enum(UNANSWERED);

/** Settings of the agent that looks at merge requests, of a rig or in `[defaults]`. */
export const reviewSettings: {
  readonly review_agent: z.ZodOptional<z.ZodString>;
  readonly review_model: z.ZodOptional<z.ZodString>;
  readonly review_unanswered: z.ZodOptional<typeof unanswered>;
} = {
  review_agent: z.string().min(1).optional(),
  review_model: z.string().min(1).optional(),
  review_unanswered: unanswered.optional(),
};

interface Section {
  readonly review_agent?: string | undefined;
  readonly review_model?: string | undefined;
  readonly review_timeout?: Duration | undefined;
  readonly review_unanswered?: Unanswered | undefined;
}

/** The rig's own wins, then `[defaults]`; `none` of a rig turns the town's off. Errors: `bad_duration`. */
export function reviewerOf(
  section: Section,
  defaults: Section | undefined,
  at: string,
): { readonly reviewer?: Reviewer } {
  const set = { ...defaults, ...known(section) };
  const { review_agent: runtime = 'none', review_timeout: timeout } = set;
  if (runtime === 'none') return {};
  return {
    reviewer: {
      runtime,
      model: set.review_model ?? null,
      timeoutMs: timeout === undefined ? REVIEW_TIMEOUT_MS : parseDurationMs(timeout, `${at}.review_timeout`),
      unanswered: set.review_unanswered ?? 'ask',
    },
  };
}

/** What the section does not say must not hide what `[defaults]` say. */
const known = (section: Section): Section =>
  Object.fromEntries(Object.entries(section).filter(([, value]) => value !== undefined));
