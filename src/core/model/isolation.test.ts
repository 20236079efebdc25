import { describe, expect, it } from 'vitest';
import { containerEngine, gateIsolation, isolationOf, NO_SHIELD, sandboxOf } from './isolation.ts';

describe('how processes are shut in', () => {
  const shield = { ...NO_SHIELD, isolation: 'wrapper', perRuntime: { claude: 'bubblewrap', script: 'none' } } as const;

  it('is said by runtime first, then for the rig; nothing is shut in unasked', () => {
    expect(['claude', 'script', 'codex'].map((runtime) => isolationOf(shield, runtime))).toEqual([
      'bubblewrap',
      'none',
      'wrapper',
    ]);
    expect([isolationOf(NO_SHIELD, 'claude'), gateIsolation(NO_SHIELD)]).toEqual(['none', 'none']);
    expect(NO_SHIELD).toMatchObject({
      sandbox: { network: 'on', command: null, image: null, read: [], write: [] },
      limits: { memoryBytes: null, diskBytes: null },
      secretsAllowed: [],
    });
  });

  it('is for gates that of the rig, else of the first runtime that is shut in', () => {
    expect(gateIsolation(shield)).toBe('wrapper');
    expect(gateIsolation({ ...shield, isolation: 'none' })).toBe('bubblewrap');
  });

  it('is said in an order only where there is something to say', () => {
    expect(sandboxOf(shield, 'none')).toEqual({});
    expect(sandboxOf(shield, 'container')).toEqual({ sandbox: { kind: 'container', ...NO_SHIELD.sandbox } });
  });

  it.each([
    ['docker run', 'docker'],
    ['  sudo docker --context x run --rm', 'sudo docker --context x'],
    ['podman run\t-it', 'podman'],
    ['podman\nrun', 'podman'],
    ['docker  run run', 'docker'],
    ['docker runner', null],
    ['docker', null],
    ['run', null],
    [' run --rm', null],
    ['prun x', null],
    [null, null],
  ])('finds what removes a container: %j', (command, engine) => {
    expect(containerEngine(command)).toBe(engine);
  });
});
