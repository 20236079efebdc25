import { describe, expect, it } from 'vitest';
import { parseSettings } from './settings.ts';

const mayorOf = (source: string) => parseSettings(source, 'gastown.toml', {}).mayor;

describe('the program of the mayor', () => {
  it("is a runtime of the user's own, or one that the town knows as the user changed it", () => {
    expect(
      mayorOf('[mayor]\nruntime = "mine"\n[runtimes.mine]\nprogram = "/opt/mine"\nargs = ["--acp"]\n'),
    ).toMatchObject({
      runtime: 'mine',
      preset: { protocol: 'acp', program: '/opt/mine', args: ['--acp'] },
    });
    expect(mayorOf('[mayor]\nruntime = "claude"\n[runtimes.claude]\npermissions = "ask"\n')?.preset).toMatchObject({
      program: 'claude',
      permissions: 'ask',
    });
    expect(mayorOf('[mayor]\nruntime = "claude"\n')).not.toHaveProperty('preset');
  });

  it.each(['nobody', 'script'])('is not %s', (runtime) => {
    expect(() => mayorOf(`[mayor]\nruntime = "${runtime}"\n[runtimes.mine]\nprogram = "x"\n`)).toThrow(runtime);
  });
});
