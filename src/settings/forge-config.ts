import { z } from 'zod';
import { precondition } from '../core/errors.ts';
import type { ForgeKind, ForgeSite } from '../core/model/pull-request.ts';
import { parseProject, parseRemote, type Remote } from '../core/remote-url.ts';
import { secretReference } from './secret-setting.ts';

const URL_CHARS_MAX = 1_024;

/** A token goes over the wire with each call: in the clear only to this machine. */
const isSafe = (url: URL): boolean =>
  url.protocol === 'https:' ||
  (url.protocol === 'http:' && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname));

const apiUrl: z.ZodString = z
  .string()
  .max(URL_CHARS_MAX)
  .refine((value) => {
    const url = URL.canParse(value) ? new URL(value) : null;
    return url !== null && isSafe(url) && url.username === '' && url.search === '' && url.hash === '';
  }, 'an https address like "https://code.example.org/api/v4" (http only on this machine)');

interface ForgeSettings {
  readonly forge: z.ZodOptional<z.ZodEnum<{ github: 'github'; gitlab: 'gitlab' }>>;
  readonly forge_url: z.ZodOptional<z.ZodString>;
  readonly forge_project: z.ZodOptional<z.ZodString>;
  readonly forge_token: z.ZodOptional<z.ZodString>;
}
/** The code host of a rig's pull requests. There is no default of the town: a token is for one host and goes to no other. */
export const forgeSettings: ForgeSettings = {
  forge: z.enum(['github', 'gitlab']).optional(),
  forge_url: apiUrl.optional(),
  forge_project: z
    .string()
    .refine((value) => parseProject(value) === value, '"owner/name"')
    .optional(),
  forge_token: secretReference.optional(),
};

interface RigSection {
  readonly url: string;
  readonly forge?: ForgeKind | undefined;
  readonly forge_url?: string | undefined;
  readonly forge_project?: string | undefined;
  readonly forge_token?: string | undefined;
}

/**
 * The code host of a rig, from its settings and the address of its repository; undefined when the section says nothing of
 * one. Error: `bad_config` (precondition) when it does and something is missing.
 */
export function forgeOf(rig: RigSection, at: string): ForgeSite | undefined {
  if ((rig.forge ?? rig.forge_url ?? rig.forge_token ?? rig.forge_project) === undefined) return undefined;
  const site = siteOf(rig);
  if (typeof site !== 'string') return site;
  throw precondition('bad_config', `${at}: ${site}.`, 'Correct that; docs/configuration.md lists the settings.');
}

/** The site, or a sentence that says what is missing. */
function siteOf(rig: RigSection): ForgeSite | string {
  const remote = parseRemote(rig.url);
  const kind = rig.forge ?? kindOf(remote);
  if (kind === null) return 'the code host is not known from "url"; name it with forge = "github" or "gitlab"';
  if (rig.forge_token === undefined) return 'forge_token is missing: "env:NAME" or "file:/absolute/path"';
  const project = rig.forge_project ?? projectOf(remote);
  if (project === null) return 'the project is not known from "url"; name it with forge_project = "owner/name"';
  if (!fits(kind, project)) return `"${project}" is no project of GitHub: "owner/name"`;
  const api = rig.forge_url ?? apiOf(kind, remote);
  if (api === null) return 'the address of the API is not known from "url"; write it with forge_url';
  return { kind, apiUrl: api.replace(/\/+$/, ''), project, token: rig.forge_token };
}

/** GitHub has no groups in groups. */
const fits = (kind: ForgeKind, project: string): boolean => kind === 'gitlab' || project.split('/').length === 2;

const projectOf = (remote: Remote | null): string | null => remote?.project ?? null;

function kindOf(remote: Remote | null): ForgeKind | null {
  if (remote?.host === 'github.com' || remote?.host.endsWith('.ghe.com') === true) return 'github';
  return remote?.host === 'gitlab.com' ? 'gitlab' : null;
}

/** Where the API of a host is, when nobody says otherwise. */
function apiOf(kind: ForgeKind, remote: Remote | null): string | null {
  if (remote === null) return null;
  const { host } = remote;
  if (kind === 'gitlab') return `https://${host}/api/v4`;
  if (host === 'github.com') return 'https://api.github.com';
  return host.endsWith('.ghe.com') ? `https://api.${host}` : `https://${host}/api/v3`;
}
