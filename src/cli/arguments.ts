import { usage } from '../core/errors.ts';
import { nearest } from '../settings/nearest.ts';

export interface OptionSpec {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  /** Name of the value in help, for example `dir`. */
  readonly value?: string;
  readonly help: string;
}

/** What a command line may hold. */
export interface ArgumentSpec {
  readonly usage: string;
  /** Positional arguments: `<needed>`, `[optional]`; a last one with `…` takes any number. */
  readonly args?: readonly string[];
  readonly options?: Readonly<Record<string, OptionSpec>>;
}

/** Flags that every command takes. */
export const COMMON_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  json: { type: 'boolean', help: 'print JSON; errors too' },
  town: {
    type: 'string',
    value: 'dir',
    help: 'the town: its folder, or its address (default: GT_TOWN_ROOT, then the nearest folder upward)',
  },
  'token-file': {
    type: 'string',
    value: 'file',
    help: 'with an address: holds the owner token (or the variable GT_OWNER_TOKEN_FILE)',
  },
  color: { type: 'string', value: 'when', help: 'auto, always or never' },
  help: { type: 'boolean', short: 'h', help: 'show help' },
};

/** What a person typed after the command's name, checked against its specification. */
export class Arguments {
  readonly positionals: readonly string[];
  readonly #values: ReadonlyMap<string, readonly (string | true)[]>;

  constructor(positionals: readonly string[], values: ReadonlyMap<string, readonly (string | true)[]>) {
    this.positionals = positionals;
    this.#values = values;
  }

  flag(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name)?.at(-1);
    return typeof value === 'string' ? value : undefined;
  }

  /** A repeatable option; commas separate as well. */
  list(name: string): readonly string[] {
    return this.raw(name)
      .flatMap((value) => value.split(','))
      .filter((value) => value !== '');
  }

  /** A repeatable option whose values may hold commas. */
  raw(name: string): readonly string[] {
    return (this.#values.get(name) ?? []).filter((value) => typeof value === 'string');
  }

  /** Errors: `bad_number`. */
  number(name: string, range: { readonly min: number; readonly max: number }): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= range.min && value <= range.max)) {
      throw usage(
        'bad_number',
        `--${name} ${JSON.stringify(text)} is not a whole number from ${String(range.min)} to ${String(range.max)}.`,
        `Give such a number to --${name}.`,
        name,
      );
    }
    return value;
  }

  /** One of a few words. Errors: `bad_value`. */
  choice<T extends string>(name: string, list: readonly T[]): T | undefined {
    const given = this.text(name);
    const found = list.find((one) => one === given);
    if (given === undefined || found !== undefined) return found;
    throw usage('bad_value', `--${name} ${JSON.stringify(given)} is unknown.`, `Use one of: ${list.join(', ')}.`, name);
  }

  /** The positional argument at `index`; the specification has made sure that it is there. */
  at(index: number): string {
    return this.positionals[index] ?? '';
  }
}

interface Given {
  readonly positionals: string[];
  readonly values: Map<string, (string | true)[]>;
}

/**
 * Splits a command line by its specification: `--name value`, `--name=value`, `-n value`, `--` before plain texts.
 * Written out here because loading the library form takes longer than all the rest of a read command's start.
 * Errors: `unknown_option`, `missing_value`, `unexpected_value`, `missing_argument`, `too_many_arguments`, `bad_text`.
 */
export function parseArguments(spec: ArgumentSpec, argv: readonly string[]): Arguments {
  const known = { ...COMMON_OPTIONS, ...spec.options };
  const given: Given = { positionals: [], values: new Map() };
  let index = 0;
  while (index < argv.length) {
    const word = argv[index] ?? '';
    refuseNul(word);
    if (word === '--') {
      given.positionals.push(...argv.slice(index + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') given.positionals.push(word);
    else if (takeOption(word, argv[index + 1], { known, given }) === 'used next') index += 1;
    index += 1;
  }
  if (!given.values.has('help')) checkPositionals(spec, given.positionals);
  return new Arguments(given.positionals, given.values);
}

interface Parsing {
  readonly known: Readonly<Record<string, OptionSpec>>;
  readonly given: Given;
}

function takeOption(word: string, next: string | undefined, parsing: Parsing): 'used next' | 'alone' {
  const equals = word.indexOf('=');
  const raw = equals < 0 ? word : word.slice(0, equals);
  const inline = equals < 0 ? undefined : word.slice(equals + 1);
  const { name, option } = optionOf(raw, parsing.known);
  if (option.type === 'boolean') {
    if (inline !== undefined) throw usage('unexpected_value', `${raw} takes no value.`, `Write ${raw} alone.`, name);
    store(parsing.given, name, true);
    return 'alone';
  }
  if (inline !== undefined) {
    store(parsing.given, name, inline);
    return 'alone';
  }
  // "--rig --json" is a forgotten value, not a rig called "--json"; write --rig=--json for that.
  if (next === undefined || next.startsWith('--'))
    throw usage('missing_value', `${raw} needs a value.`, `Write ${raw} <${option.value ?? 'value'}>.`, name);
  refuseNul(next);
  store(parsing.given, name, next);
  return 'used next';
}

function store(given: Given, name: string, value: string | true): void {
  const before = given.values.get(name);
  if (before === undefined) given.values.set(name, [value]);
  else before.push(value);
}

function optionOf(
  raw: string,
  known: Readonly<Record<string, OptionSpec>>,
): { readonly name: string; readonly option: OptionSpec } {
  const isLong = raw.startsWith('--');
  const name = isLong
    ? raw.slice(2)
    : (Object.keys(known).find((key) => known[key]?.short === raw.slice(1)) ?? raw.slice(1));
  const option = Object.hasOwn(known, name) ? known[name] : undefined;
  const isRight = option !== undefined && (isLong || option.short === raw.slice(1));
  if (isRight) return { name, option };
  const near = nearest(name, Object.keys(known));
  throw usage(
    'unknown_option',
    `There is no option ${raw}.`,
    near === null ? 'See --help for the options of this command.' : `Did you mean --${near}?`,
    name,
  );
}

function refuseNul(text: string): void {
  if (text.includes('\0')) throw usage('bad_text', 'An argument holds a NUL character.', 'Remove it.');
}

/** Arguments that may be several words. */
const WORDS = /title|text|subject|message|question|value/;

function checkPositionals(spec: ArgumentSpec, positionals: readonly string[]): void {
  const names = spec.args ?? [];
  const missing = names.slice(positionals.length).find((name) => !name.startsWith('['));
  if (missing !== undefined) throw usage('missing_argument', `${missing} is missing.`, `Usage: ${spec.usage}`);
  const isOpen = names.at(-1)?.includes('…') === true;
  if (!isOpen && positionals.length > names.length) {
    throw usage(
      'too_many_arguments',
      `${JSON.stringify(positionals[names.length])} is one argument too many.`,
      `Usage: ${spec.usage}${names.some((name) => WORDS.test(name)) ? '; put quotes around a text with spaces.' : ''}`,
    );
  }
}
