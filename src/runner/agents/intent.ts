import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { INTENT_BYTES_MAX, SUMMARY_CHARS_MAX } from '../limits.ts';
import { readAgentFile, writeAtomic } from '../files.ts';

const text = z.string().max(SUMMARY_CHARS_MAX);
const optionalText = text.nullish().transform((value) => (value === undefined || value === '' ? null : value));

/** What an agent says with `gt done`. */
export interface DoneIntent {
  readonly summary: string;
  /** Hand in uncommitted files with this message. */
  readonly commit: string | null;
  /** Why nothing needs to change. */
  readonly noChange: string | null;
}

export const intentSchema: z.ZodType<DoneIntent> = z.object({
  summary: text.nullish().transform((value) => value ?? ''),
  commit: optionalText,
  noChange: optionalText,
});

export interface StoredIntent {
  readonly intent: DoneIntent;
  /** Of the file's bytes: tells whether a claim was already made from just this file. */
  readonly hash: string;
}

const intentFile = (stateDir: string): string => join(stateDir, 'done.json');

/** The intent on disk, or null when there is none that can be read: half a file is no intent. */
export async function readIntent(stateDir: string): Promise<StoredIntent | null> {
  try {
    const bytes = (await readAgentFile(intentFile(stateDir), INTENT_BYTES_MAX))?.toString('utf8') ?? '';
    return { intent: intentSchema.parse(JSON.parse(bytes)), hash: createHash('sha256').update(bytes).digest('hex') };
  } catch {
    return null;
  }
}

/** The caller writes its intent before it calls; where it did not, or the file is of an earlier call, we do. */
export async function ensureIntent(stateDir: string, intent: DoneIntent, nowMs: number): Promise<StoredIntent | null> {
  const present = await readIntent(stateDir);
  if (present !== null && sameIntent(present.intent, intent)) return present;
  await writeAtomic(intentFile(stateDir), JSON.stringify({ ...intent, at: nowMs }));
  return readIntent(stateDir);
}

const sameIntent = (left: DoneIntent, right: DoneIntent): boolean =>
  left.summary === right.summary && left.commit === right.commit && left.noChange === right.noChange;

/** A refused intent must not count when the agent ends later. */
export async function removeIntent(stateDir: string): Promise<void> {
  await rm(intentFile(stateDir), { force: true });
}
