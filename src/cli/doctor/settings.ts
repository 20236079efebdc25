import type { AttentionWire } from '../../api/contract/town.ts';
import { TownError } from '../../core/errors.ts';
import { mustTakeOf, type MustTake } from '../../hosts/node/must-take.ts';
import type { Town } from '../../hosts/node/town-files.ts';
import { TownClient } from '../town-client.ts';
import { ok, problem, type Check } from './check.ts';

/** What the town would refuse, also before anybody has it read; and what it refused and nobody had it read since. */
export async function settingsCheck(town: Town, rigs: Parameters<MustTake>[0]): Promise<Check> {
  try {
    mustTakeOf(town.paths)(rigs);
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    return problem('configuration', {
      what: error.message,
      why: 'the town works with the settings that it had before, and its daemon does not start with these',
      fix: error.next,
    });
  }
  const refused = await refusedByDaemon(town);
  if (refused === undefined) return ok('configuration', town.paths.config);
  return problem('configuration', {
    what: refused.sentence,
    why: 'the town works with the settings that it had before',
    fix: 'correct the file, then: gt daemon reload',
  });
}

/** Undefined also when nobody can say it: other checks tell what is broken then. */
async function refusedByDaemon(town: Town): Promise<AttentionWire | undefined> {
  try {
    const { items } = await new TownClient(town).get<{ items: readonly AttentionWire[] }>('attention');
    return items.find((item) => item.kind === 'settings');
  } catch {
    return undefined;
  }
}
