import type { Caller, RigConfig } from '../src/core/commands.ts';
import { TownError } from '../src/core/errors.ts';
import { PRIORITIES } from '../src/core/model/bead.ts';
import { trusted, type BeadId, type ConvoyId, type RigName } from '../src/core/model/ids.ts';
import type { BeadSummary, ConvoyDetail } from '../src/core/queries.ts';
import type { TownService } from '../src/actors/town-service.ts';
import { SIM_FORMULA } from './agent-steps.ts';
import type { Brain } from './brain.ts';
import type { Sim } from './context.ts';
import { doomedConvoy } from './fates.ts';
import { outsidePush } from './git-jobs.ts';
import { meddle } from './meddle.ts';
import { PeopleMoney, townCap } from './money.ts';
import type { PersonStep } from './plan.ts';
import { changeOf, convoyPlan, some, type Planner } from './people-convoys.ts';
import { MOMENT_KINDS, momentOf } from './people-moments.ts';
import { commandOf } from './people-orders.ts';
import { cancelPull } from './people-pulls.ts';
import { PeopleOfRigs } from './people-rigs.ts';
import { PeopleTalk, TALK_KINDS, type Ask } from './people-talk.ts';
import type { Prng } from './prng.ts';
import { revertConvoy } from './reverts.ts';

const CALL_MS = 15_000;
const AGAIN_MS = 8_000;
const TRIES_MAX = 40;

interface How {
  readonly chance: Prng;
  readonly caller: Caller;
  /** When it was answered. */
  readonly heard?: () => void;
}

/** The people of the town, and everybody who pushes to its repositories without knowing of it. */
export class People {
  readonly #sim: Sim;
  readonly #brain: Brain;
  readonly #rigs: readonly string[];
  /** What they know to exist. */
  readonly beads: BeadId[] = [];
  readonly convoys: ConvoyId[] = [];
  readonly #members = new Map<ConvoyId, readonly BeadId[]>();
  /** Answers that are still awaited. */
  waiting = 0;
  /** Answers that are no valid answer of this program: anything but a `TownError`. */
  readonly surprises: string[] = [];
  readonly #talk: PeopleTalk;
  readonly #money: PeopleMoney;
  readonly #ofRigs: PeopleOfRigs;
  readonly #asks: Ask;
  readonly #planner: Planner;

  constructor(sim: Sim, brain: Brain, rigs: readonly string[]) {
    this.#sim = sim;
    this.#brain = brain;
    this.#rigs = rigs;
    this.#planner = { tasksMax: sim.tasksMax, rigs, beads: this.beads };
    this.#asks = (label, work, then) => {
      this.#ask(label, work, then);
    };
    this.#talk = new PeopleTalk(sim, this.#asks);
    this.#ofRigs = new PeopleOfRigs(sim, brain, this.#asks);
    this.#money = new PeopleMoney(sim, (label, work) => {
      this.#ask(label, work, () => undefined);
    });
  }

  act(step: PersonStep, salt: string): void {
    const chance = this.#sim.chance(`${step.id} ${step.kind} ${salt}`);
    const caller: Caller = { actor: 'human/sim', origin: 'human', idempotencyKey: `${step.id}-${step.kind}` };
    switch (step.kind) {
      case 'push':
      case 'outside_merge':
      case 'move_branch':
      case 'drop_feature':
        this.#outside(step, chance);
        return;
      case 'settings':
        this.#settings(chance);
        return;
      case 'look':
        this.#look(chance);
        return;
      case 'bead':
        this.#createBead(step, chance, caller);
        return;
      case 'convoy':
      case 'doomed_convoy':
        this.#createConvoy(step, chance, caller);
        return;
      case 'drain_rig':
        this.#ofRigs.drain(step, chance, caller);
        return;
      case 'cancel_pull':
        this.#cancelPull(step, chance, caller);
        return;
      default:
        this.#change(step, chance, caller);
    }
  }

  #change(step: PersonStep, chance: Prng, caller: Caller): void {
    if (TALK_KINDS.has(step.kind)) this.#talk.act(step, chance, caller);
    else if (MOMENT_KINDS.has(step.kind)) this.#moment(step, chance, caller);
    else if (step.kind.includes('convoy')) this.#changeConvoy(step, chance, caller);
    else if (step.kind === 'budget')
      this.#money.act(
        chance,
        { rig: this.#rig(chance), bead: chance.pick(this.beads), convoy: chance.pick(this.convoys) },
        caller,
      );
    else this.#command(step, chance, caller);
  }

  /** Asks until there is an answer; the same key makes a repeat the same request. */
  #ask<T>(label: string, work: (town: TownService) => Promise<T>, then: (value: T) => void, tries = 1): void {
    if (tries === 1) this.waiting += 1;
    this.#sim.wire.call<T>({
      label,
      to: 'brain',
      timeoutMs: CALL_MS,
      apply: () => this.#brain.door.service(work),
      done: (answer) => {
        if (answer.ok) {
          this.waiting -= 1;
          then(answer.value);
          return;
        }
        const { error } = answer;
        const final = error instanceof TownError && error.kind !== 'busy';
        // After the storm a town that is away comes back, and what people do then is what ends the story.
        const comesBack = !(error instanceof TownError) && !this.#sim.storm();
        if (final || (tries >= TRIES_MAX && !comesBack)) {
          this.waiting -= 1;
          this.#sim.note(`${label}: ${error instanceof TownError ? error.code : 'no answer'}`);
          return;
        }
        if (error instanceof Error && !(error instanceof TownError) && error.name !== 'NoAnswer')
          this.surprises.push(`${label}: ${error.name}: ${error.message}`);
        this.#sim.time.after(AGAIN_MS, `${label} again`, () => {
          this.#ask(label, work, then, tries + 1);
        });
      },
    });
  }

  #createBead(step: PersonStep, chance: Prng, caller: Caller): void {
    const rig = this.#rig(chance);
    const input = {
      rig: trusted.rig(rig),
      title: `bead ${step.id}`,
      body: '',
      priority: chance.pick(PRIORITIES) ?? 'medium',
      dependsOn: some(this.beads, chance, chance.weighted({ 0: 6, 1: 3, 2: 1 })),
      // Each town knows these; the third is refused.
      runtime: chance.weighted({ script: 12, command: 6, claude: 1 }),
      model: null,
      targetBranch: null,
      sling: chance.chance(this.#sim.slung),
      pinnedAgent: chance.chance(0.1) ? `${rig}/polecats/nux` : null,
      parentId: null,
      formula: chance.chance(0.3) ? SIM_FORMULA : null,
    } as const;
    this.#ask<BeadSummary>(
      `create ${step.id}`,
      (town) => town.createBead(input, caller),
      (bead) => {
        if (!this.beads.includes(bead.id)) this.beads.push(bead.id);
      },
    );
  }

  #changeConvoy(step: PersonStep, chance: Prng, caller: Caller): void {
    if (step.kind === 'revert_convoy') {
      revertConvoy({ sim: this.#sim, ask: this.#asks, id: chance.pick(this.convoys), chance }, step, caller);
      return;
    }
    // A convoy that is about to land is the hardest to call off.
    if (step.kind === 'convoy_close' && chance.chance(0.6))
      this.#sim.atLanding.next = (branch) => {
        this.#orderOfConvoy(step, trusted.convoy(branch.replace(/^gt\//, '')), { chance, caller });
      };
    else {
      const id = chance.pick(this.convoys);
      if (id !== undefined) this.#orderOfConvoy(step, id, { chance, caller });
    }
  }

  #orderOfConvoy(step: PersonStep, id: ConvoyId, { chance, caller }: How): void {
    const change = changeOf(this.#planner, { step, members: this.#members.get(id) ?? this.beads }, chance);
    this.#ask(
      `${step.kind} ${id}`,
      (town) => (change === null ? town.startConvoy(id, caller) : town.changeConvoy(id, change, caller)),
      (convoy) => {
        this.#learn(convoy);
      },
    );
  }

  #learn(convoy: ConvoyDetail): void {
    if (!this.convoys.includes(convoy.id)) this.convoys.push(convoy.id);
    this.#members.set(
      convoy.id,
      convoy.beads.flatMap((row) => (row.beadId === null ? [] : [row.beadId])),
    );
    for (const row of convoy.beads)
      if (row.beadId !== null && !this.beads.includes(row.beadId)) this.beads.push(row.beadId);
  }

  #createConvoy(step: PersonStep, chance: Prng, caller: Caller): void {
    const input =
      step.kind === 'doomed_convoy'
        ? doomedConvoy(step, this.#rigs.map(trusted.rig), chance)
        : convoyPlan(this.#planner, step, chance);
    this.#ask(
      `create ${step.id}`,
      (town) => town.createConvoy(input, caller),
      (convoy) => {
        this.#learn(convoy);
      },
    );
  }

  #command(step: PersonStep, chance: Prng, caller: Caller): void {
    const bead = chance.pick(this.beads);
    if (bead === undefined) return;
    // The narrowest moment for a change of mind is while the push is under way.
    if (step.kind === 'close' && chance.chance(0.4))
      this.#sim.atPush.next = (pushed) => {
        this.#order(step, trusted.bead(pushed), { chance, caller });
      };
    // Another is while its rework is about to begin.
    else if (step.kind === 'close' && chance.chance(0.5)) this.#closeInRework(step, chance, caller);
    else this.#order(step, bead, { chance, caller });
  }

  #cancelPull(step: PersonStep, chance: Prng, caller: Caller): void {
    cancelPull({
      sim: this.#sim,
      chance,
      open: this.#brain.forge?.open ?? [],
      bead: (bead) => {
        this.#order(step, bead, { chance, caller });
      },
      convoy: (id) => {
        this.#orderOfConvoy({ ...step, kind: 'convoy_close' }, id, { chance, caller });
      },
    });
  }

  #closeInRework(step: PersonStep, chance: Prng, caller: Caller): void {
    this.#ask(
      `queue for ${step.id}`,
      (town) => town.listQueue(),
      (queue) => {
        const entry = queue.find(({ step: at }) => at === 'reworking');
        if (entry !== undefined) this.#order(step, entry.sourceBeadId, { chance, caller });
        else
          this.#sim.atRedAgain.next = (bead) => {
            this.#sim.time.after(chance.between(1_000, 20_000), `people have seen that ${bead} is red again`, () => {
              this.#order(step, trusted.bead(bead), { chance, caller });
            });
          };
      },
    );
  }

  #moment(step: PersonStep, chance: Prng, caller: Caller): void {
    momentOf(step, {
      sim: this.#sim,
      brain: this.#brain,
      chance,
      caller,
      ask: this.#asks,
      learn: (convoy) => {
        this.#learn(convoy);
      },
      close: (bead, heard) => {
        const key = `${step.id}-close`;
        this.#order({ ...step, kind: 'close' }, bead, { chance, caller: { ...caller, idempotencyKey: key }, heard });
      },
    });
  }

  #order(step: PersonStep, bead: BeadId, { chance, caller, heard }: How): void {
    const command = commandOf(step, bead, chance);
    this.#ask<BeadSummary>(
      `${step.kind} ${bead}`,
      (town) => town.beadCommand(command, caller),
      (after) => {
        const { retries } = this.#sim.ledger;
        if (!this.beads.includes(after.id)) this.beads.push(after.id);
        if (step.kind === 'retry') retries.set(bead, (retries.get(bead) ?? 0) + 1);
        if (command.type === 'close' && after.status === 'closed' && after.closeReason === 'cancelled')
          this.#sim.ledger.cancelled.set(bead, this.#sim.time.nowMs);
        heard?.();
      },
    );
  }

  #settings(chance: Prng): void {
    const rig = this.#rig(chance);
    const known = this.#brain.configs.get(rig);
    if (known === undefined) return;
    const config: RigConfig = { ...known, parked: chance.chance(0.4), polecatsMax: chance.between(1, 5) };
    if (chance.chance(0.5)) this.#brain.budgets = townCap(chance);
    this.apply(config);
  }

  /** After the storm: what waits for money goes on, and so does what was drained. */
  endStorm(): void {
    this.#money.lift();
    this.#ofRigs.takeAllBack();
  }

  /** Writes the town's file and tells the daemon to read it. */
  apply(config: RigConfig): void {
    this.#brain.configs.set(config.name, config);
    this.#ask(
      `settings of ${config.name}`,
      // As the file is when it is read: an order that comes late must not bring back what it was before.
      (town) => town.configure(this.#inFile(config.name), this.#brain.budgets),
      () => undefined,
    );
  }

  #inFile(name: string): readonly RigConfig[] {
    const config = this.#brain.configs.get(name);
    return config === undefined ? [] : [config];
  }

  #look(chance: Prng): void {
    const bead = chance.pick(this.beads);
    this.#ask(
      'look around',
      async (town) => {
        await Promise.all([town.status(), town.listAgents(), town.listQueue(), town.feed(null, 50)]);
        if (bead !== undefined) await town.why(bead);
      },
      () => undefined,
    );
  }

  #outside(step: PersonStep, chance: Prng): void {
    const rig = this.#rig(chance);
    this.#sim.note(`outside: ${step.kind} in ${rig}`);
    if (step.kind === 'push') {
      outsidePush(this.#sim, rig, step.id, chance.chance(0.5) ? [`place-${String(chance.int(3))}`] : []);
      return;
    }
    const isPull = this.#brain.configs.get(rig)?.merging?.strategy === 'pr';
    meddle(this.#sim, step, { chance, rig, isPull });
  }

  #rig(chance: Prng): RigName {
    return trusted.rig(chance.pick(this.#rigs) ?? '');
  }
}
