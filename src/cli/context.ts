import { findTownRoot, locateTown } from '../hosts/node/town-files.ts';
import { isAddress, remoteTown, townElsewhere } from '../hosts/node/remote-town.ts';
import type { Town } from '../hosts/node/town-files.ts';
import type { Arguments } from './arguments.ts';
import { wantsColor } from './output.ts';
import type { ColorMode, Style } from './output.ts';
import { usage } from '../core/errors.ts';
import { refuseAgent, sessionDoor } from './agent-rights.ts';

/** What a command may touch: its streams, its surroundings, and the town it is about. */
export interface Context {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly json: boolean;
  readonly style: Style;
  /** `--town`, when given. */
  readonly townFlag: string | undefined;
  /** Data, on stdout, ended by a newline. */
  print(text: string): void;
  /** Data without a newline of its own. */
  write(text: string): void;
  /** Hints and progress, on stderr; silent with --json. */
  hint(text: string): void;
  /** A folder, or an address. Errors: `no_town`, `town_incomplete`, `not_for_agents`, those of an address. */
  town(): Town;
}

export function makeContext(command: string, args: Arguments): Context {
  const json = args.flag('json');
  const isTerminal = process.stdout.isTTY;
  const townFlag = args.text('town');
  const color = wantsColor(colorMode(args.text('color')), process.env, isTerminal);
  return {
    cwd: process.cwd(),
    env: process.env,
    json,
    style: {
      color: !json && color,
      terminal: isTerminal,
      nowMs: Date.now(),
    },
    townFlag,
    print: (text) => {
      process.stdout.write(`${text}\n`);
    },
    write: (text) => {
      process.stdout.write(text);
    },
    hint: (text) => {
      if (!json) process.stderr.write(`${text}\n`);
    },
    town: () => {
      refuseAgent(command, process.env);
      const named = townFlag ?? process.env['GT_TOWN_ROOT'];
      if (named !== undefined && isAddress(named))
        return remoteTown(named, args.text('token-file') ?? process.env['GT_OWNER_TOKEN_FILE'], {
          source: townFlag === undefined ? 'GT_TOWN_ROOT' : '--town',
          command,
        });
      const isElsewhere = sessionDoor(process.env) !== null && findTownRoot(named ?? process.cwd()) === null;
      return isElsewhere ? townElsewhere() : locateTown(townFlag, process.env, process.cwd());
    },
  };
}

function colorMode(text: string | undefined): ColorMode {
  if (text === undefined || text === 'auto') return 'auto';
  if (text === 'always' || text === 'never') return text;
  throw usage('bad_color', `--color ${JSON.stringify(text)} is unknown.`, 'Use auto, always or never.', 'color');
}
