import { chunkSchema, type HeldActor, type HeldTown, type TransferStep } from '../../api/contract/transfer.ts';
import type { TransferDoor } from '../../api/handlers/transfer.ts';
import { rigAddress, TOWN_ADDRESS } from '../../actors/town/town-context.ts';
import { MAYOR_ADDRESS } from '../../core/model/mayor.ts';
import type { Place } from '../../store/transfer.ts';
import { stubOf, type Env } from './env.ts';
import type { ObjectMove } from './object-move.ts';
import { remote } from './rpc.ts';

type AskedMove = {
  readonly [Name in keyof ObjectMove]: ObjectMove[Name] extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Promise<Awaited<Answer>>
    : never;
};

/** The end of a move that is a town of objects: each step goes to the object that it is about. */
export function transferDoor(env: Env): TransferDoor {
  const at = (address: string): AskedMove =>
    remote<AskedMove>((path, args) => stubOf(env, address).transfer(path.join('.'), args));
  const town = at(TOWN_ADDRESS);

  async function rigAddresses(): Promise<readonly string[]> {
    const names: string[] = [];
    let after: Place = null;
    do {
      const { chunk, next } = await town.read('rigs', after);
      const column = chunk.columns.indexOf('name');
      names.push(...chunkSchema.parse(chunk).rows.map((row) => rigAddress(String(row[column]))));
      after = next;
    } while (after !== null);
    return names;
  }

  /** The town first: while it is held it gives no work away, and what others tell it waits with them. */
  async function hold(move: string): Promise<HeldTown> {
    const first = await town.hold(move);
    const actors: HeldActor[] = [];
    for (const address of [TOWN_ADDRESS, MAYOR_ADDRESS, ...(await rigAddresses())]) {
      const { createdAtMs, schema, tables, counters } = await at(address).hold(first.move);
      actors.push({ address, createdAtMs, schema, tables: [...tables], counters: [...counters] });
    }
    const settings = await town.settings();
    return { move: first.move, town: { id: env.GT_TOWN_ID, name: env.GT_TOWN_NAME }, settings, actors };
  }

  /** The town last: when it goes on, all others can be asked. */
  async function resume(step: Extract<TransferStep, { readonly step: 'resume' }>): Promise<null> {
    const isHeld = (await town.state()).state !== 'open';
    const known = step.addresses ?? (isHeld ? [MAYOR_ADDRESS, ...(await rigAddresses())] : []);
    for (const address of known.filter((one) => one !== TOWN_ADDRESS)) await at(address).resume([]);
    await town.resume(step.facts);
    return null;
  }

  return (step): Promise<unknown> => {
    switch (step.step) {
      case 'state':
        return town.state();
      case 'hold':
        return hold(step.move);
      case 'resume':
        return resume(step);
      case 'read':
        return at(step.address).read(step.table, step.after);
      case 'sum':
        return at(step.address).sum(step.table, step.sum, step.after);
      case 'begin':
        return at(step.address).begin(step.move, step);
      case 'load':
        return at(step.address).load(step.n, step.chunk);
      case 'finish':
        return at(step.address).finish(step.counters);
      case 'counters':
        return at(step.address).counters();
      case 'accept':
        return at(step.address).accept(step.move);
    }
  };
}
