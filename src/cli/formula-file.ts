import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { z } from 'zod';
import type { FormulaBody } from '../api/contract/molecules.ts';
import { notFound, usage } from '../core/errors.ts';
import { meantOrKnown } from '../settings/nearest.ts';
import { readText } from './read-text.ts';

/** Folder of the town in which formulas lie. */
export const FORMULA_FOLDER = 'formulas';
const ENDING = '.toml';

const step = z.strictObject({
  id: z.string().min(1).optional(),
  title: z.string().min(1),
  instructions: z.string().optional(),
  needs: z.array(z.string()).optional(),
  optional: z.boolean().optional(),
});
const file = z.strictObject({
  name: z.string().min(1).optional(),
  steps: z.array(step).min(1, 'a formula has at least one step'),
});

/** Names of the formulas of a town, in order. */
export function formulaNames(townRoot: string): readonly string[] {
  try {
    const names = readdirSync(join(townRoot, FORMULA_FOLDER)).filter((name) => name.endsWith(ENDING));
    return names.map((name) => basename(name, ENDING)).toSorted();
  } catch {
    return [];
  }
}

/**
 * A path, or the name of a file in the town's folder `formulas/`.
 * Errors: `formula_not_found`, `file_unreadable`, `bad_formula`, `unknown_field`.
 */
export function readFormula(given: string, townRoot: string): FormulaBody {
  const path = pathOf(given, townRoot);
  const parsed = file.safeParse(parse(path));
  if (parsed.success) return { name: parsed.data.name ?? basename(path, ENDING), steps: parsed.data.steps };
  const [issue] = parsed.error.issues;
  const at = issue?.path.map(String).join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') throw unknownField(path, at, issue.keys[0] ?? '');
  throw bad(path, `${at === '' ? 'the file' : at}: ${issue?.message ?? 'not valid'}`);
}

function pathOf(given: string, townRoot: string): string {
  if (given.includes('/') || given.endsWith(ENDING)) return given;
  const names = formulaNames(townRoot);
  if (names.includes(given)) return join(townRoot, FORMULA_FOLDER, given + ENDING);
  throw notFound('formula', given);
}

function parse(path: string): unknown {
  const text = readText(path, 'formula');
  try {
    return parseToml(text);
  } catch (error) {
    throw bad(path, error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'it is not valid TOML');
  }
}

function unknownField(path: string, at: string, key: string): Error {
  return usage(
    'unknown_field',
    `${path}: there is no field ${JSON.stringify(at === '' ? key : `${at}.${key}`)}.`,
    meantOrKnown(key, Object.keys((at === '' ? file : step).shape)),
    'formula',
  );
}

const bad = (path: string, why: string): Error =>
  usage(
    'bad_formula',
    `${path} is not a formula: ${why}.`,
    'A formula has [[steps]], each with a title; see "gt help mol attach".',
    'formula',
  );
