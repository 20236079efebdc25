import { usage } from '../errors.ts';

/** Branded strings: one parser each, so that an id of one kind can't be passed for another. */
declare const brand: unique symbol;
type Id<Name extends string> = string & { readonly [brand]: Name };

/** `<rig prefix>-<5+ crockford base32>`, for example `app-7k3qf`; a merge request is a bead too. */
export type BeadId = Id<'bead'>;
/** `hq-cv-<crockford>`. */
export type ConvoyId = Id<'convoy'>;
/** `hq-esc-<crockford>`. */
export type EscalationId = Id<'escalation'>;
/** Name of a rig in its town: `[a-z][a-z0-9_-]{0,31}`. */
export type RigName = Id<'rig'>;
/** Identity of an agent: `<rig>/polecats/<name>`; unique in the town and also its key in the runner. */
export type AgentId = Id<'agent'>;
/** Time-sortable id of one run of an agent on a bead. */
export type AttemptId = Id<'attempt'>;
/** Time-sortable id of one mail. */
export type MailId = Id<'mail'>;
/** Instance id of a runner process: new at each of its starts. */
export type RunnerInstance = Id<'runner'>;
/** Full 40 or 64 digit git object id. */
export type Sha = Id<'sha'>;

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';
/** 32^5 = 33 million ids a rig; the minting actor checks for the rare collision. */
export const BEAD_SUFFIX_LENGTH = 5;
/** Town-level ids are few; a length of 5 keeps them typeable as well. */
export const TOWN_SUFFIX_LENGTH = 5;

/** As the id format has it. */
export const PREFIX_CHARS_MAX = 8;
const PREFIX = /^[a-z][a-z0-9]{0,7}$/;
const RIG = /^[a-z][a-z0-9_-]{0,31}$/;
const BEAD = /^[a-z][a-z0-9]{0,7}-[0-9a-hjkmnp-tv-z]{5,16}$/;
const CONVOY = /^hq-cv-[0-9a-hjkmnp-tv-z]{5,16}$/;
const ESCALATION = /^hq-esc-[0-9a-hjkmnp-tv-z]{5,16}$/;
const ATTEMPT = /^at-[0-9a-hjkmnp-tv-z]{16,32}$/;
const MAIL = /^ml-[0-9a-hjkmnp-tv-z]{16,32}$/;
const AGENT = /^[a-z][a-z0-9_-]{0,31}\/(polecats|crew|refinery)\/[a-z][a-z0-9-]{0,39}$/;
const SHA = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
/** `hq` and `gt` name the town's own things. */
export const RESERVED_PREFIXES: ReadonlySet<string> = new Set(['hq', 'gt']);

/** Turns random bytes (one per character) into crockford base32 in lower case. */
export function crockford(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += CROCKFORD.charAt(byte & 31);
  return text;
}

/** Ten characters that sort by time (48 bits of milliseconds), for ids of attempts and messages. */
export function sortableTime(nowMs: number): string {
  let text = '';
  let rest = Math.max(0, Math.floor(nowMs));
  for (let index = 0; index < 10; index += 1) {
    text = CROCKFORD.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

const withArticle = (what: string): string => (/^[aeiou]/.test(what) ? `an ${what}` : `a ${what}`);

function parse<T extends string>(pattern: RegExp, what: string, text: string, shape: string): T {
  if (!pattern.test(text)) {
    throw usage(
      `bad_${what.replaceAll(' ', '_')}`,
      `${JSON.stringify(text.slice(0, 80))} is not ${withArticle(what)}.`,
      `${withArticle(what).replace('a', 'A')} looks like ${shape}.`,
      what,
    );
  }
  return text as T;
}

export const parseBeadId = (text: string): BeadId => parse(BEAD, 'bead id', text, '"app-7k3qf"');
export const parseConvoyId = (text: string): ConvoyId => parse(CONVOY, 'convoy id', text, '"hq-cv-7k3qf"');
/** `hq-esc-<crockford>`. */
export const parseEscalationId = (text: string): EscalationId =>
  parse(ESCALATION, 'escalation id', text, '"hq-esc-7k3qf9m2"');
export const parseAttemptId = (text: string): AttemptId =>
  parse(ATTEMPT, 'attempt id', text, '"at-" and a time-sortable code');
export const parseMailId = (text: string): MailId => parse(MAIL, 'mail id', text, '"ml-" and a time-sortable code');
export const parseAgentId = (text: string): AgentId => parse(AGENT, 'agent', text, '"app/polecats/nux"');
export const parseSha = (text: string): Sha => parse(SHA, 'commit id', text, '40 hexadecimal digits');
export const parseRigName = (text: string): RigName =>
  parse(RIG, 'rig name', text, '"app": a letter, then up to 31 letters, digits, "-" or "_", all lower case');

/** True for text of the shape of a convoy id; used where a command takes either kind. */
export const isConvoyId = (text: string): boolean => CONVOY.test(text);
/** The one answer to whether a file, a clone or an actor is named after a rig. */
export const isRigName = (text: string): boolean => RIG.test(text);
export const isEscalationId = (text: string): boolean => ESCALATION.test(text);
export const isMailId = (text: string): boolean => MAIL.test(text);
export const isAgentId = (text: string): boolean => AGENT.test(text);
export const isBeadId = (text: string): boolean => BEAD.test(text);
export const isSha = (text: string): boolean => SHA.test(text);

/** Checks a rig's prefix. Errors: `bad_prefix`, `reserved_prefix`. */
export function parsePrefix(text: string): string {
  if (!PREFIX.test(text)) {
    throw usage(
      'bad_prefix',
      `${JSON.stringify(text.slice(0, 80))} is not a rig prefix.`,
      'A prefix is a letter and up to 7 letters or digits, lower case, for example "app".',
      'prefix',
    );
  }
  if (RESERVED_PREFIXES.has(text)) {
    throw usage(
      'reserved_prefix',
      `The prefix "${text}" is reserved for the town itself.`,
      'Choose another with --prefix.',
      'prefix',
    );
  }
  return text;
}

/** The prefix part of a bead id: it names the rig that minted it. */
export const prefixOf = (id: BeadId): string => id.slice(0, id.indexOf('-'));

/** Brands text that this program itself minted or stored; input from outside goes through the parsers above. */
export const trusted = {
  bead: (text: string): BeadId => text as BeadId,
  convoy: (text: string): ConvoyId => text as ConvoyId,
  escalation: (text: string): EscalationId => text as EscalationId,
  rig: (text: string): RigName => text as RigName,
  agent: (text: string): AgentId => text as AgentId,
  attempt: (text: string): AttemptId => text as AttemptId,
  mail: (text: string): MailId => text as MailId,
  runner: (text: string): RunnerInstance => text as RunnerInstance,
  sha: (text: string): Sha => text as Sha,
};
