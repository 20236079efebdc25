import { z } from 'zod';
import { name } from './common.ts';

/** A file of a town with hundreds of rigs is a tenth of it. */
const FILE_CHARS_MAX = 512 * 1024;
const CHANGES_MAX = 100;
const TEXT_CHARS_MAX = 4_096;
/** Hosts that agents may reach, folders that they may read. */
const LIST_MAX = 500;
/** Caps by runtime; a town knows a dozen. */
const TABLE_MAX = 50;

export const settingsSchema = z.object({
  /** `gastown.toml` as it is. */
  text: z.string(),
  /** Sentences about what of it this host can't do. */
  without_effect: z.array(z.string()),
});
export type SettingsItem = z.infer<typeof settingsSchema>;

/** Null takes a setting out of the file. */
export const changeSettingsSchema = z.strictObject({
  changes: z
    .array(
      z.strictObject({
        key: name,
        value: z.union([
          z.string().max(TEXT_CHARS_MAX),
          z.number(),
          z.boolean(),
          z.array(z.string().max(TEXT_CHARS_MAX)).max(LIST_MAX),
          /** A small table: a gate with its time limit. */
          z
            .record(name, z.union([z.string().max(TEXT_CHARS_MAX), z.number()]))
            .refine((table) => Object.keys(table).length <= TABLE_MAX, `at most ${String(TABLE_MAX)} entries`),
          z.null(),
        ]),
      }),
    )
    .min(1)
    .max(CHANGES_MAX),
});
export const replaceSettingsSchema = z.strictObject({ text: z.string().max(FILE_CHARS_MAX) });
