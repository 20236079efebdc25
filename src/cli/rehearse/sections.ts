import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Town } from '../../hosts/node/town-files.ts';
import { rehearsalOf } from './providers.ts';

/** A program that is to be rehearsed. */
export interface Rehearsed {
  readonly runtime: string;
  /** Null: whatever is found in `PATH`. */
  readonly program: string | null;
}

/**
 * Writes sections into the town's file that make real agent programs talk to the scripted model on this port, each with a
 * home folder of its own. Answers the models to ask for, by runtime.
 */
export function writeRehearsal(
  town: Town,
  programs: readonly Rehearsed[],
  place: { readonly homes: string; readonly port: number },
): ReadonlyMap<string, string> {
  const models = new Map<string, string>();
  for (const { runtime, program } of programs) {
    const home = join(place.homes, runtime);
    const rehearsal = rehearsalOf(runtime, { home, port: place.port });
    if (rehearsal === null) continue;
    models.set(runtime, rehearsal.model);
    for (const [file, text] of Object.entries(rehearsal.files)) {
      mkdirSync(dirname(join(home, file)), { recursive: true });
      writeFileSync(join(home, file), text);
    }
    mkdirSync(home, { recursive: true });
    const lines = Object.entries(rehearsal.env).map(([name, value]) => `${name} = ${quoted(value)}`);
    const own = program === null ? '' : `program = ${quoted(program)}\n`;
    appendFileSync(
      town.paths.config,
      `\n[runtimes.${runtime}]\n${own}pass_env = []\n\n[runtimes.${runtime}.env]\n${lines.join('\n')}\n`,
    );
  }
  return models;
}

/** TOML's basic strings take the escapes of JSON. */
const quoted = (text: string): string => JSON.stringify(text);
