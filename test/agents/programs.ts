import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { join } from 'node:path';

import { RUNTIME_PRESETS, type RuntimePreset } from '../../src/core/runtime-presets.ts';
import { rehearsalOf } from '../../src/cli/rehearse/providers.ts';

/** A real agent program of the fixture package. */
export interface Program {
  readonly runtime: string;
  /** Null: there is none for this machine. */
  readonly path: string | null;
  readonly version: string;
}

const first = (paths: readonly string[]): string | null => paths.find((path) => existsSync(path)) ?? null;

const machine = `${platform()}-${arch()}`;

/** The programs that CI runs as well, in the order of the matrix. */
export function programs(modules: string): readonly Program[] {
  return [
    {
      runtime: 'claude',
      path: first([join(modules, `@anthropic-ai/claude-code-${machine}`, 'claude')]),
      version: '2.1.330',
    },
    { runtime: 'codex', path: first([join(modules, '.bin/codex-acp')]), version: 'codex-acp 2.6.0, codex 0.166' },
    {
      runtime: 'opencode',
      path: first([
        join(modules, `opencode-${machine}-baseline`, 'bin/opencode'),
        join(modules, `opencode-${machine}`, 'bin/opencode'),
      ]),
      version: '1.18.33',
    },
  ];
}

/** Those of the long form. */
export function morePrograms(modules: string): readonly Program[] {
  return [
    { runtime: 'gemini', path: first([join(modules, '.bin/gemini')]), version: '0.61.0' },
    { runtime: 'qwen', path: first([join(modules, '.bin/qwen')]), version: '0.24.4' },
    { runtime: 'kilo', path: first([join(modules, `@kilocode/cli-${machine}-baseline/bin/kilo`)]), version: '7.7.9' },
    { runtime: 'copilot', path: first([join(modules, `@github/copilot-${machine}/copilot`)]), version: '1.0.102' },
  ];
}

/** The program's own preset, against a scripted model, with a home folder of its own. */
export function presetFor(program: Program, place: { readonly home: string; readonly port: number }): RuntimePreset {
  const base = RUNTIME_PRESETS[program.runtime];
  const rehearsal = rehearsalOf(program.runtime, place);
  if (base === undefined || rehearsal === null || program.path === null) throw new Error(`no ${program.runtime} here`);
  mkdirSync(place.home, { recursive: true });
  for (const [file, text] of Object.entries(rehearsal.files)) {
    mkdirSync(join(place.home, file, '..'), { recursive: true });
    writeFileSync(join(place.home, file), text);
  }
  return { ...base, program: program.path, env: { ...base.env, ...rehearsal.env } };
}
