import { z } from 'zod';

import type { RuntimePreset } from '../../core/runtime-presets.ts';

const TEXT_CHARS_MAX = 8_192;
const text = z.string().max(TEXT_CHARS_MAX);
const texts = z.array(text).max(100);
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'a variable is letters, digits and "_"');

/** How the program of an AI agent is started and spoken to, on the wire to a runner. */
export const runtimePresetSchema: z.ZodType<RuntimePreset> = z.object({
  protocol: z.enum(['claude', 'acp']),
  program: text.min(1),
  args: texts,
  modelArgs: texts,
  mcpArgs: texts,
  failedWords: text.min(1).nullable(),
  env: z.record(variable, text),
  passEnv: z.array(variable).max(100),
  permissions: z.enum(['bypass', 'ask']),
  mode: text.nullable(),
  askMode: text.nullable(),
  resume: z.enum(['none', 'id', 'load', 'resume']),
  nudge: z.enum(['steer', 'queue', 'cancels']),
  install: text,
  login: z.object({ files: texts, env: texts, how: text }),
});
