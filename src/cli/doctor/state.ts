import type { StatusItem } from '../../api/contract/town.ts';
import { TownError } from '../../core/errors.ts';
import type { Town } from '../../hosts/node/town-files.ts';
import { TownClient } from '../town-client.ts';
import { ok, problem, type Check } from './check.ts';

/** What is recorded must hold together; the checker reads the databases, also while the daemon is down. */
export async function stateChecks(town: Town): Promise<readonly Check[]> {
  try {
    const { violations } = await new TownClient(town).get<StatusItem>('status');
    if (violations.length === 0) return [ok('invariants', 'all hold')];
    return violations.map((what) =>
      problem('invariants', {
        what,
        why: 'the recorded state contradicts itself: this is a fault of gt',
        fix: 'gt feed --json, and report it with this text',
      }),
    );
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
