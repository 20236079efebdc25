import { z } from 'zod';
import { DEFAULT_MERGING, type MergingConfig } from '../core/commands.ts';
import { MERGE_STYLES, type MergeStyle } from '../core/facts.ts';
import { TRAIN_BATCH_MAX, TRAIN_LANES_MAX } from '../core/limits.ts';

const upTo = (most: number): z.ZodOptional<z.ZodNumber> => z.number().int().min(1).max(most).optional();

const style: z.ZodEnum<{ [Style in MergeStyle]: Style }> = z.enum(MERGE_STYLES);

/** Settings of the merge train, of a rig or in `[defaults]`. */
export const mergingSettings: Record<'merge_batch' | 'merge_lanes', z.ZodOptional<z.ZodNumber>> & {
  readonly merge_style: z.ZodOptional<typeof style>;
} = {
  merge_batch: upTo(TRAIN_BATCH_MAX),
  merge_lanes: upTo(TRAIN_LANES_MAX),
  merge_style: style.optional(),
};

interface Section {
  readonly merge_batch?: number | undefined;
  readonly merge_lanes?: number | undefined;
  readonly merge_style?: MergeStyle | undefined;
}

/** The rig's own wins, then `[defaults]`. */
export const mergingOf = (section: Section, defaults: Section | undefined): MergingConfig => ({
  batch: section.merge_batch ?? defaults?.merge_batch ?? DEFAULT_MERGING.batch,
  lanes: section.merge_lanes ?? defaults?.merge_lanes ?? DEFAULT_MERGING.lanes,
  style: section.merge_style ?? defaults?.merge_style ?? DEFAULT_MERGING.style,
});
