/** Money and quota in the simulator: what agents report and what people set. What must hold of it is in `money-checks.ts`. */
import { budgetId, type Budget, type BudgetKind, type BudgetUnit } from '../src/core/budget.ts';
import type { Caller } from '../src/core/commands.ts';
import type { Fact, StartAgent, UsageOfModel } from '../src/core/facts.ts';
import { MICRO_USD } from '../src/core/usage.ts';
import type { TownService } from '../src/actors/town-service.ts';
import type { Sim } from './context.ts';
import type { LiveAgent } from './machine.ts';
import type { Prng } from './prng.ts';

const MINUTE = 60_000;
/** So much is never used up here. */
const AMPLE = 1e12;
/** The storm is over long before a window that an agent meets in it opens; the town rests after. */
const WINDOWS_MS = [MINUTE, 10 * MINUTE, 45 * MINUTE, null] as const;

/** What it wrote down of its use, once while it runs; at its end the rest, and that its provider refused. */
export function tellUse(sim: Sim, live: LiveAgent, isOver: boolean, record: (fact: Fact) => void): void {
  if (live.row.startedAtMs === null || (!isOver && live.saidUse)) return;
  live.saidUse = true;
  for (const fact of moneyFacts(sim, live.row.request, isOver)) record(fact);
}

/** What an agent says of itself: most say what they used, some of them meet the end of their quota. Totals, as promised. */
function moneyFacts(sim: Sim, request: StartAgent, isOver: boolean): readonly Fact[] {
  const nature = sim.chance(`money of ${request.attempt}`);
  if (!nature.chance(0.8)) return [];
  const of = { rig: request.rig, attempt: request.attempt, epoch: request.epoch, atMs: sim.time.wallMs };
  const models = [useOf(nature, isOver ? 1 : 0.5)];
  for (const { tokensIn, tokensOut, microUsd } of models)
    sim.ledger.used.set(request.attempt, { tokens: tokensIn + tokensOut, microUsd });
  const usage: Fact = {
    ...of,
    type: 'agent_usage',
    key: `usage:${request.attempt}:${isOver ? 'all' : 'half'}`,
    models,
  };
  const resetsInMs = nature.pick(WINDOWS_MS) ?? null;
  if (!nature.chance(0.1) || !isOver || !sim.storm()) return [usage];
  const resetsAtMs = resetsInMs === null ? null : sim.time.wallMs + resetsInMs;
  return [
    usage,
    { ...of, type: 'quota_limited', key: `limited:${request.attempt}:0`, resetsAtMs, reason: 'rate limit' },
  ];
}

/** Some know only their tokens, of a model without a price. */
function useOf(nature: Prng, part: number): UsageOfModel {
  const tokensIn = Math.floor(nature.between(1_000, 200_000) * part);
  const tokensOut = 10;
  const microUsd = nature.chance(0.8) ? Math.floor(nature.between(1, 200) * (MICRO_USD / 100) * part) : null;
  const [unpricedIn, unpricedOut] = microUsd === null ? [tokensIn, tokensOut] : [0, 0];
  return {
    model: 'simulated',
    tokensIn,
    tokensOut,
    tokensCached: 0,
    microUsd,
    unpricedIn,
    unpricedOut,
    unpricedCached: 0,
  };
}

/** What the town's file says of agents at once; null: nothing. */
export function townCap(chance: Prng): readonly Budget[] {
  const amount = chance.pick([null, null, 1, 3, 5]) ?? null;
  if (amount === null) return [];
  const of = { scope: 'town', unit: 'polecats', kind: 'hard' } as const;
  return [{ ...of, id: budgetId(of.scope, of.unit, of.kind), amount }];
}

type Work = (town: TownService) => Promise<unknown>;

/** People and their budgets. */
export class PeopleMoney {
  readonly #sim: Sim;
  readonly #ask: (label: string, work: Work) => void;
  readonly #set = new Map<string, Omit<Budget, 'id'>>();

  constructor(sim: Sim, ask: (label: string, work: Work) => void) {
    this.#sim = sim;
    this.#ask = ask;
  }

  /** Sets, changes or removes some budget. */
  act(
    chance: Prng,
    known: { readonly rig: string; readonly bead: string | undefined; readonly convoy: string | undefined },
    caller: Caller,
  ): void {
    const scopes = ['town', 'town', `rig:${known.rig}`];
    if (known.bead !== undefined) scopes.push(`bead:${known.bead}`);
    if (known.convoy !== undefined) scopes.push(`convoy:${known.convoy}`);
    const scope = chance.pick(scopes) ?? 'town';
    const unit: BudgetUnit = chance.pick(['usd', 'usd', 'tokens'] as const) ?? 'usd';
    const kind: BudgetKind = chance.chance(0.8) ? 'hard' : 'soft';
    const amount = unit === 'usd' ? chance.between(0, 12) * MICRO_USD : chance.between(0, 1_500) * 1_000;
    const id = budgetId(scope, unit, kind);
    const removes = chance.chance(0.2);
    this.#set.set(id, { scope, unit, kind, amount: AMPLE });
    this.#ask(`${removes ? 'remove' : 'set'} the budget ${id}`, (town) => {
      // A call that comes late must not close a scope that nobody opens again.
      if (!this.#sim.storm()) return Promise.resolve(null);
      if (removes) return town.money.removeBudget(id, caller);
      return town.money.setBudget({ scope, unit, kind, amount }, caller);
    });
  }

  /** After the storm what waits for money goes on: half of the budgets are raised, the others removed. */
  lift(): void {
    const chance = this.#sim.chance('lifting budgets');
    const caller: Caller = { actor: 'human/sim', origin: 'human' };
    for (const [id, ample] of this.#set) {
      const raises = chance.chance(0.5);
      this.#ask(`lift the budget ${id}`, (town) =>
        raises ? town.money.setBudget(ample, caller) : town.money.removeBudget(id, caller),
      );
    }
  }
}
