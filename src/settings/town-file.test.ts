import { describe, expect, it } from 'vitest';
import type { RigConfig } from '../core/commands.ts';
import { conflict, TownError } from '../core/errors.ts';
import { trusted } from '../core/model/ids.ts';
import type { RigSummary } from '../core/queries.ts';
import { sectionOf } from '../hosts/cloudflare/rig-settings.ts';
import { notHere } from '../hosts/cloudflare/object-notifier.ts';
import { TownFile, type Configured } from './town-file.ts';

const caller = { actor: 'human/owner', origin: 'human' } as const;
const first = '# Mine.\n[town]\nname = "t"\n';

function kept(text = first, over: Partial<Configured> = {}) {
  const state = { text, rigs: new Map<string, RigConfig>(), budgets: [] as readonly unknown[], mayor: null as unknown };
  const town: Configured = {
    addRig: async (config) => {
      state.rigs.set(config.name, config);
      return {} as RigSummary;
    },
    removeRig: async (id) => ({
      id,
      status: 'removed',
      running: 0,
      merging: 0,
      waitingForPeople: 0,
      open: 0,
      unsent: 0,
      waitsFor: [],
    }),
    mustTake: () => undefined,
    configure: async (rigs, budgets) => {
      for (const rig of rigs) state.rigs.set(rig.name, rig);
      state.budgets = budgets;
    },
    configureMayor: async (mayor) => {
      state.mayor = mayor;
    },
    ...over,
  };
  const store = {
    read: () => state.text,
    write: (next: string) => {
      state.text = next;
    },
  };
  return { state, file: new TownFile({ store, town, env: {}, refuses: notHere }) };
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof TownError ? error.code : String(error)),
  );

describe('the file of a town without files', () => {
  it('keeps comments, applies what it says, and refuses as the parser does without a change', async () => {
    const { state, file } = kept();
    await file.addRig(sectionOf({ name: 'app', url: 'https://x.example/app.git' }, []));
    await file.change([
      { key: 'rigs.app.wall_clock', value: '90m' },
      { key: 'mayor.command', value: 'talk' },
    ]);
    expect(state.text.startsWith('# Mine.\n')).toBe(true);
    expect(state.rigs.get('app')).toMatchObject({ wallClockMs: 5_400_000, prefix: 'app' });
    expect(state.mayor).toMatchObject({ command: 'talk' });
    const before = state.text;
    const refused = [
      await codeOf(file.change([{ key: 'rigs.app.polecats_max', value: -1 }])),
      await codeOf(file.change([{ key: 'rigs.app.colour', value: 'red' }])),
      await codeOf(file.replace('[budgets."rig:none"]\nusd = 1\n')),
      await codeOf(file.addRig(sectionOf({ name: 'app', url: 'https://x.example/app.git' }, []))),
      await codeOf(file.changeRig(trusted.rig('none'), { parked: true })),
    ];
    expect(refused).toEqual(['bad_config', 'unknown_setting', 'bad_config', 'rig_exists', 'rig_not_found']);
    expect(state.text).toBe(before);
  });

  it('takes no rig, and no change of one, with a runtime that cannot start', async () => {
    const { state, file } = kept();
    const of = (over: object) => sectionOf({ name: 'app', url: 'https://x.example/app.git', ...over }, []);
    expect(await codeOf(file.addRig(of({ runtime: 'gpt' })))).toBe('unknown_runtime');
    expect(await codeOf(file.addRig(of({ runtime: 'command' })))).toBe('no_command');
    expect(state.text).toBe(first);
    await file.addRig(of({}));
    const before = state.text;
    expect(await codeOf(file.changeRig(trusted.rig('app'), { runtime: 'gpt' }))).toBe('unknown_runtime');
    expect(await codeOf(file.changeRig(trusted.rig('app'), { runtime: 'command' }))).toBe('no_command');
    expect(state.text).toBe(before);
    expect(await codeOf(file.changeRig(trusted.rig('app'), { runtime: 'command', command: 'x' }))).toBe('done');
  });

  it('asks the town before it changes anything, so that one refused rig leaves all of them as they are', async () => {
    const fixed = (rigs: readonly RigConfig[]): void => {
      if (rigs.some((rig) => rig.prefix === 'zz'))
        throw conflict('prefix_fixed', 'A prefix never changes.', 'Set it back.');
    };
    const rigs = '[rigs.a]\nurl = "/a"\nprefix = "a"\n\n[rigs.b]\nurl = "/b"\nprefix = "b"\n';
    const { state, file } = kept(`${first}\n${rigs}`, { mustTake: fixed });
    const text = state.text;
    expect(await codeOf(file.replace(text.replace('"/a"', '"/x"').replace('prefix = "b"', 'prefix = "zz"')))).toBe(
      'prefix_fixed',
    );
    expect([state.text, state.rigs.size]).toEqual([text, 0]);
    state.text = text.replace('prefix = "b"', 'prefix = "zz"');
    expect([await codeOf(file.reload()), state.rigs.size]).toEqual(['prefix_fixed', 0]);
    state.text = text;
    expect([await codeOf(file.reload()), state.rigs.size]).toEqual(['done', 2]);
  });

  it('leaves what this host can not do where a moved town had it, and takes nothing new of it', async () => {
    const email = '[escalation.email]\nto = ["a@b.example"]\nfrom = "t@b.example"\nhost = "mail.example"\n';
    const { state, file } = kept(`${first}\n${email}`);
    expect(file.state().withoutEffect).toHaveLength(1);
    expect(await codeOf(file.change([{ key: 'town.polecats_max', value: 3 }]))).toBe('done');
    expect(state.budgets).toHaveLength(1);
    expect(await codeOf(file.change([{ key: 'escalation.desktop', value: true }]))).toBe('not_on_this_host');
    expect(await codeOf(kept().file.replace(email))).toBe('not_on_this_host');
  });

  it('writes a rig only after it is registered, so that a repeat completes what a crash left', async () => {
    const section = sectionOf({ name: 'app', url: 'https://x.example/app.git' }, []);
    const { state, file } = kept(first, {
      addRig: () => Promise.reject(new TownError('busy', 'gone', { message: '', next: '' })),
    });
    expect(await codeOf(file.addRig(section))).toBe('gone');
    expect(state.text).toBe(first);
    const again = kept(state.text);
    expect(await codeOf(again.file.addRig(section))).toBe('done');
    const left = await again.file.removeRig(trusted.rig('app'), true, caller);
    expect([left.status, again.state.text.includes('rigs.app')]).toEqual(['removed', false]);
  });
});
