/** Work that is claimed on another machine: the origin has it only a while later, and the line may be cut meanwhile. */
import { TAKEOVER_AFTER_MS } from '../src/core/limits.ts';
import { attemptRef } from '../src/core/model/agent.ts';
import { trusted } from '../src/core/model/ids.ts';
import type { SqlRow } from '../src/ports/sql.ts';
import { SqlRigView } from '../src/store/rig-view.ts';
import { repoOf, type Sim } from './context.ts';
import type { SimDatabase } from './faulty-sql.ts';
import { Violation } from './ledger.ts';
import type { Claimed } from './machine.ts';
import type { Prng } from './prng.ts';

/** Share of the claims whose ref the origin does not get before the town hears of them. */
const LATE_SHARE = 0.4;
/** Share of those at which the line is cut as soon as the town has heard of them. */
const CUT_SHARE = 0.4;
const PUSHED_MS = [200, 90_000] as const;
const CUT_MS = [1_000, 60_000] as const;
const LOOK_AGAIN_MS = 50;
/** A claim that the town has not heard of by then is not waited for. */
const HEARD_MAX_MS = 20_000;
const PUSH_AGAIN_MS = 5_000;
const CODES = /: (ref_missing|head_moved)$/;

interface Machine {
  readonly name: string;
  readonly isCut: () => boolean;
  readonly cut: (durationMs: number) => void;
  readonly hasFact: (rig: string, key: string) => boolean;
}

export class FarClaims {
  readonly #sim: Sim;
  readonly #machine: Machine;
  readonly #chance: Prng;

  constructor(sim: Sim, machine: Machine) {
    this.#sim = sim;
    this.#machine = machine;
    this.#chance = sim.chance('claims far away');
  }

  claimed(claim: Claimed): void {
    if (!this.#chance.chance(LATE_SHARE)) return;
    repoOf(this.#sim, claim.rig).onlyAt.set(claim.ref, this.#machine.name);
    this.#push(claim, this.#chance.between(...PUSHED_MS));
    if (this.#sim.storm() && this.#chance.chance(CUT_SHARE)) this.#cutWhenHeard(claim, HEARD_MAX_MS);
  }

  #push(claim: Claimed, delayMs: number): void {
    this.#sim.time.after(delayMs, `${claim.ref} is pushed`, () => {
      if (this.#sim.ledger.burned.has(this.#machine.name)) return;
      if (this.#machine.isCut()) this.#push(claim, PUSH_AGAIN_MS);
      else repoOf(this.#sim, claim.rig).onlyAt.delete(claim.ref);
    });
  }

  #cutWhenHeard(claim: Claimed, leftMs: number): void {
    if (leftMs <= 0 || !this.#sim.storm()) return;
    this.#sim.time.after(LOOK_AGAIN_MS, `is ${claim.key} heard of`, () => {
      if (this.#machine.hasFact(claim.rig, claim.key)) this.#cutWhenHeard(claim, leftMs - LOOK_AGAIN_MS);
      else if (this.#sim.storm()) this.#machine.cut(this.#chance.between(...CUT_MS));
    });
  }
}

/** L23: what is not found where nobody has it yet is no verdict about work that its machine still has. */
export function checkClaimVerdict(sim: Sim, { address, sql }: SimDatabase, row: SqlRow): void {
  if (row['rule'] !== 'verify-done' || !CODES.test(String(row['reason']))) return;
  const id = String(row['entity']).replace(/^attempt:/, '');
  const attempt = new SqlRigView(sql).attempt(trusted.attempt(id));
  if (attempt === null || sim.ledger.burned.has(attempt.runner)) return;
  // Its agent went on after that claim: the verdict is true, and the next claim gets its own.
  const { refs } = repoOf(sim, address.slice('rig/'.length));
  const isMoved = refs.get(attemptRef(attempt.sourceBeadId, attempt.epoch)) !== attempt.claimedHead;
  if (isMoved && String(row['reason']).endsWith('head_moved')) return;
  const ageMs = Number(row['at']) - (attempt.claimedAtMs ?? 0);
  if (ageMs < TAKEOVER_AFTER_MS)
    throw new Violation('L23', `${address}: ${id} claimed work that its runner has, and got: ${String(row['reason'])}`);
}
