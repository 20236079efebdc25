import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ExitRecord } from '../../src/api/contract/exit-record.ts';
import type { Fact, StartAgent } from '../../src/api/contract/runner.ts';
import { scenarioLine, type Step } from '../../src/cli/rehearse/model/scenario.ts';
import { type ScriptedModel, startScriptedModel } from '../../src/cli/rehearse/model/server.ts';
import { rehearsalOf } from '../../src/cli/rehearse/providers.ts';
import type { RuntimePreset } from '../../src/core/runtime-presets.ts';
import { TestTown } from '../fixtures/runner/town.ts';
import { presetFor, type Program } from './programs.ts';

/** Longer than any case takes on a busy machine (a slow start, then two silences); a case that hangs ends here. */
const FACT_WAIT_MS = 150_000;

/** A real runner and a real program against a scripted model: what one case of the matrix works with. */
export class Bench {
  readonly town: TestTown;
  readonly model: ScriptedModel;
  readonly program: Program;
  readonly home: string;

  private constructor(town: TestTown, model: ScriptedModel, program: Program) {
    this.town = town;
    this.model = model;
    this.program = program;
    // Outside of the town, whose folder is hidden from agents that are shut in.
    this.home = mkdtempSync(join(tmpdir(), 'gt-agent-home-'));
  }

  static async open(program: Program): Promise<Bench> {
    const town = await TestTown.open();
    // Short patience with models, so that a hang is seen within a case; a cold start on a busy machine has its own.
    await town.start({ silenceMs: 30_000, openMs: 75_000, heartbeatMs: 500, stopGraceMs: 5_000 });
    return new Bench(town, await startScriptedModel(), program);
  }

  async close(): Promise<void> {
    await this.town.close();
    await this.model.close();
    rmSync(this.home, { recursive: true, force: true });
  }

  get preset(): RuntimePreset {
    return presetFor(this.program, { home: this.home, port: this.model.port });
  }

  /** Shows the program with its package and its login; the model is on this machine. */
  get sandbox(): NonNullable<StartAgent['sandbox']> {
    const modules = (this.program.path ?? '').replace(/\/node_modules\/.*$/, '/node_modules');
    return { kind: 'bubblewrap', network: 'on', command: null, image: null, read: [modules], write: [this.home] };
  }

  /** The same program where a person must allow what it does. */
  get asking(): RuntimePreset {
    const { preset } = this;
    const env = Object.entries(preset.env).map(
      ([name, value]) =>
        [name, name.endsWith('_CONFIG_CONTENT') ? value.replace('"*":"allow"', '"*":"ask"') : value] as const,
    );
    return { ...preset, permissions: 'ask', env: Object.fromEntries(env) };
  }

  /** Starts an attempt whose model does these steps. */
  async start(steps: readonly Step[], part: Partial<StartAgent> = {}): Promise<StartAgent> {
    const { runtime } = this.program;
    const model = rehearsalOf(runtime, { home: this.home, port: this.model.port })?.model ?? null;
    const prompt = `You have a bead.\n\n${scenarioLine({ steps })}\n`;
    const request = this.town.startRequest({ runtime, preset: this.preset, model, prompt, ...part });
    const answer = await this.town.post(request);
    if (answer.status !== 200) throw new Error(`not started: ${answer.text}`);
    return request;
  }

  /** Waits for a fact of the attempt that fits. */
  async fact<T extends Fact['type']>(
    type: T,
    start: StartAgent,
    fits: (fact: Extract<Fact, { type: T }>) => boolean = () => true,
  ): Promise<Extract<Fact, { type: T }>> {
    const found = (): Extract<Fact, { type: T }> | undefined => this.facts(type, start).find((fact) => fits(fact));
    await this.until(() => found() !== undefined, `${type} of ${start.attempt}`, start);
    const fact = found();
    if (fact === undefined) throw new Error('facts are never taken back');
    return fact;
  }

  facts<T extends Fact['type']>(type: T, start: StartAgent): readonly Extract<Fact, { type: T }>[] {
    return this.town.brain.recorded.filter(
      (fact): fact is Extract<Fact, { type: T }> =>
        fact.type === type &&
        (fact.type === 'agent_exited' ? fact.exit.attempt : 'attempt' in fact ? fact.attempt : '') === start.attempt,
    );
  }

  async exit(start: StartAgent): Promise<ExitRecord> {
    return (await this.fact('agent_exited', start)).exit;
  }

  async until(holds: () => boolean, what: string, start: StartAgent): Promise<void> {
    const end = performance.now() + FACT_WAIT_MS;
    while (!holds()) {
      if (performance.now() > end) throw new Error(`not seen: ${what}\n${this.town.transcript(start).slice(-6_000)}`);
      await this.pause();
    }
  }

  pause(): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }

  /** A file in any worktree of agents. */
  hasFile(name: string): boolean {
    const folder = join(this.town.root, '.gastown/worktrees/app');
    return existsSync(folder) && readdirSync(folder).some((tree) => existsSync(join(folder, tree, name)));
  }

  async pid(start: StartAgent): Promise<number> {
    return (await this.fact('agent_started', start)).pid;
  }
}

/** A check that names what it saw. */
export function expectTrue(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
