import { join } from 'node:path';

import { precondition } from '../../core/errors.ts';
import type { Runtime } from './runtime.ts';

/** Any program as an agent: the prompt comes on standard input and in `$GT_PROMPT_FILE`; it works by the `gt` command. */
export const commandRuntime: Runtime = {
  name: 'command',
  capabilities: { continuesWork: true, resume: false, nudge: false, structuredOutput: false, ai: true },
  missingCodes: [126, 127],
  detect: () => Promise.resolve({ available: true, version: null, next: null }),
  start: ({ request, stateDir, env }) => {
    const line = request.env['GT_COMMAND'];
    if (line === undefined || line.trim() === '') {
      return Promise.reject(
        precondition(
          'no_command',
          'The runtime "command" has no command line.',
          "Set the command of the runtime in the town's configuration.",
        ),
      );
    }
    return Promise.resolve({
      command: 'sh',
      args: ['-c', line],
      stdin: request.prompt,
      env: { ...env, GT_PROMPT_FILE: join(stateDir, 'prompt.md') },
    });
  },
};
