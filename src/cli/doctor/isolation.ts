import { TownError } from '../../core/errors.ts';
import { isolationHere, type IsolationHere } from '../../hosts/node/isolation-here.ts';
import type { Town } from '../../hosts/node/town-files.ts';
import { note, ok, problem, type Check } from './check.ts';

/** How agents are shut in, and whether what the settings ask for works on this machine. */
export async function isolationChecks(town: Town, env: NodeJS.ProcessEnv): Promise<readonly Check[]> {
  try {
    const here = await isolationHere(town.paths, env);
    return [...bubblewrapCheck(here), ...openCheck(here), ...here.lost.map(lostCheck)];
  } catch (error) {
    // The configuration is wrong; its own check says so.
    if (error instanceof TownError) return [];
    throw error;
  }
}

function bubblewrapCheck({ rigs, bubblewrap }: IsolationHere): readonly Check[] {
  const wanted = rigs.get('bubblewrap') ?? [];
  const version = bubblewrap.version ?? 'no version';
  if (wanted.length === 0) return bubblewrap.works ? [ok('bubblewrap', `${version} works here; no rig uses it`)] : [];
  if (bubblewrap.works) return [ok('bubblewrap', `${version} works here, for ${wanted.join(', ')}`)];
  return [
    problem('bubblewrap', {
      what: `does not work here: ${bubblewrap.problem ?? 'unknown'}`,
      why: `agents of ${wanted.join(', ')} start only inside it, so none starts`,
      fix:
        bubblewrap.version === null
          ? 'apt-get install bubblewrap'
          : 'Allow user namespaces: "sysctl kernel.apparmor_restrict_unprivileged_userns kernel.unprivileged_userns_clone" shows what forbids them.',
    }),
  ];
}

const lostCheck = ({ entry, why }: IsolationHere['lost'][number]): Check =>
  note('network', {
    what: `agents may reach ${JSON.stringify(entry)}, but ${why}`,
    why: 'what asks for it is refused',
    fix: 'Correct "network" in gastown.toml; a name of your own network is written "private:<name>".',
  });

function openCheck({ rigs, bubblewrap }: IsolationHere): readonly Check[] {
  const open = rigs.get('none') ?? [];
  if (open.length === 0) return [];
  return [
    note('isolation', {
      what: `none for ${open.join(', ')}`,
      why: 'their agents run with all your rights, and can read the owner token',
      fix: bubblewrap.works
        ? `gt config set rigs.${open[0] ?? ''}.isolation bubblewrap`
        : 'Install bubblewrap and set isolation = "bubblewrap".',
    }),
  ];
}
