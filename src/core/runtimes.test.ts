import { describe, expect, it } from 'vitest';
import { rigConfig } from '../../test/support/rig-config.ts';
import type { RigConfig } from './commands.ts';
import { RUNTIME_PRESETS } from './runtime-presets.ts';
import { checkRuntime } from './runtimes.ts';

const config: RigConfig = { ...rigConfig('api'), runtime: 'script', command: null };
const refusal = (runtime: string | null, its: Partial<RigConfig> = {}): unknown => {
  try {
    checkRuntime(runtime, { ...config, ...its });
    return null;
  } catch (error) {
    return error;
  }
};

describe('checkRuntime', () => {
  it('takes what is known, and the rig’s own when none is named', () => {
    expect([refusal('script'), refusal(null)]).toEqual([null, null]);
    expect(refusal('script', { runtime: 'abacus' })).toBeNull();
  });

  it('takes what its town has a section for', () => {
    const mine = RUNTIME_PRESETS['claude'];
    expect(refusal('mine', mine === undefined ? {} : { runtimes: { mine } })).toBeNull();
  });

  it('refuses what no runner has, and names the choice', () => {
    expect(refusal('abacus')).toMatchObject({
      kind: 'usage',
      code: 'unknown_runtime',
      message: 'There is no runtime "abacus".',
      next: 'Choose one of: script, command, claude, codex, opencode, kilo, gemini, qwen, copilot. A new one is a section [runtimes.<name>] of gastown.toml.',
      field: 'runtime',
    });
    expect(refusal(null, { runtime: 'abacus' })).toMatchObject({ code: 'unknown_runtime' });
    expect(refusal('x'.repeat(100))).toMatchObject({ message: `There is no runtime "${'x'.repeat(80)}".` });
  });

  it('takes a command that somebody has set', () => {
    expect(refusal('command', { command: 'agent --yes' })).toBeNull();
  });

  it('refuses a command that nobody has set', () => {
    expect(refusal('command')).toMatchObject({
      kind: 'precondition',
      code: 'no_command',
      message: 'The runtime "command" needs a program, and the rig "api" names none.',
      next: 'Name it: --command "<line>" of gt rig add and gt rig config, or command in [rigs.api] of gastown.toml.',
    });
  });
});
