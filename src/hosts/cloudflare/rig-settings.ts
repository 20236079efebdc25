import type { AddRigBody } from '../../api/contract/rigs.ts';
import { choosePrefix } from '../../core/choose-prefix.ts';
import { usage } from '../../core/errors.ts';
import { parseRigName } from '../../core/model/ids.ts';
import { gatesOf, type RigSectionText } from '../../settings/rig-section.ts';

/** Nobody can look at the repository from here, so what is not said is the ordinary branch. */
const TARGET_BRANCH = 'main';
const REMOTE = /^(?!ext:|fd:)(?:[a-z][a-z0-9+.-]*:\/\/|[^/\s]+@[^/\s]+:|\/)\S+$/i;

/** What a rig's section says that was asked for over the API. Errors: `bad_url`, `prefix_taken`, `bad_rig`. */
export function sectionOf(body: AddRigBody, prefixes: readonly string[]): RigSectionText {
  const name = parseRigName(body.name);
  return {
    name,
    url: repository(body.url),
    prefix: choosePrefix(name, body.prefix, prefixes),
    targetBranch: body.target_branch ?? TARGET_BRANCH,
    polecatsMax: body.polecats_max ?? null,
    runtime: body.runtime ?? null,
    model: body.model ?? null,
    command: body.command ?? null,
    gates: gatesOf(body.gates),
  };
}

function repository(url: string): string {
  if (REMOTE.test(url)) return url;
  throw usage(
    'bad_url',
    `${JSON.stringify(url.slice(0, 100))} is no URL of a repository.`,
    'Use an https:// or ssh URL, or a path that the runner can reach.',
    'url',
  );
}
