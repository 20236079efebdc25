import type { StatusItem } from '../../api/contract/town.ts';
import { TownError } from '../../core/errors.ts';
import type { Town } from '../../hosts/node/town-files.ts';
import { TownClient } from '../town-client.ts';
import { ok, problem, type Check } from './check.ts';

const FAULT = {
  why: 'the recorded state contradicts itself: this is a fault of gt',
  fix: 'gt feed --json, and report it with this text',
};
/** See `checkChannel`. */
const CHANNELS = ': I17 ';
const APART = {
  why: 'one database of the town is of another moment than the others: it was lost, or brought back alone',
  fix: 'gt restore <backup> <new folder>; keep this folder until that town has all that you need',
};

/** What is recorded must hold together; the checker reads the databases, also while the daemon is down. */
export async function stateChecks(town: Town): Promise<readonly Check[]> {
  try {
    const { violations } = await new TownClient(town).get<StatusItem>('status');
    if (violations.length === 0) return [ok('invariants', 'all hold')];
    return violations.map((what) => problem('invariants', { what, ...(what.includes(CHANNELS) ? APART : FAULT) }));
  } catch (error) {
    return [
      problem('invariants', {
        what: error instanceof Error ? error.message : String(error),
        why: 'the recorded state could not be read',
        fix: error instanceof TownError ? error.next : 'See the check of the databases.',
      }),
    ];
  }
}
