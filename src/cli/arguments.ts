import { parseArgs } from 'node:util';
import { usage } from '../core/errors.ts';
import { nearest } from '../hosts/node/nearest.ts';
import type { CommandSpec, OptionSpec } from './command.ts';

/** Flags that every command takes. */
export const COMMON_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  json: { type: 'boolean', help: 'print JSON; errors too' },
  town: { type: 'string', value: 'dir', help: 'the town (default: GT_TOWN_ROOT, then the nearest folder upward)' },
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
    return this.raw(name).flatMap((value) => value.split(',')).filter((value) => value !== '');
  }

  /** A repeatable option whose values may hold commas. */
  raw(name: string): readonly string[] {
    return (this.#values.get(name) ?? []).filter((value) => typeof value === 'string');
  }

  /** Errors: `bad_number`. */
  number(name: string, range: { readonly min: number; readonly max: number }): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= range.min && value <= range.max)) {
      throw usage('bad_number', `--${name} ${JSON.stringify(text)} is not a whole number from ${String(range.min)} to ${String(range.max)}.`, `Give such a number to --${name}.`, name);
    }
    return value;
  }

  /** The positional argument at `index`; the specification has made sure that it is there. */
  at(index: number): string {
    return this.positionals[index] ?? '';
  }
}

/** Errors: `unknown_option`, `missing_value`, `unexpected_value`, `missing_argument`, `too_many_arguments`. */
export function parseArguments(spec: CommandSpec, argv: readonly string[]): Arguments {
  const known = { ...COMMON_OPTIONS, ...spec.options };
  const options = Object.fromEntries(Object.entries(known).map(([name, option]) => [name, parserOption(option)]));
  const parsed = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const values = new Map<string, (string | true)[]>();
  const positionals: string[] = [];
  for (const token of parsed.tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const value = checkOption(token, known);
    const before = values.get(token.name);
    if (before === undefined) values.set(token.name, [value]);
    else before.push(value);
  }
  for (const text of [...positionals, ...[...values.values()].flat()]) refuseNul(text);
  if (!values.has('help')) checkPositionals(spec, positionals);
  return new Arguments(positionals, values);
}

function parserOption(option: OptionSpec): { type: 'boolean' | 'string'; multiple: true; short?: string } {
  return option.short === undefined ? { type: option.type, multiple: true } : { type: option.type, multiple: true, short: option.short };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function checkOption(token: OptionToken, known: Readonly<Record<string, OptionSpec>>): string | true {
  const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
  if (option === undefined) {
    const near = nearest(token.name, Object.keys(known));
    throw usage('unknown_option', `There is no option ${token.rawName}.`, near === null ? 'See --help for the options of this command.' : `Did you mean --${near}?`, token.name);
  }
  if (option.type === 'boolean') {
    if (token.value !== undefined) throw usage('unexpected_value', `${token.rawName} takes no value.`, `Write ${token.rawName} alone.`, token.name);
    return true;
  }
  // "--rig --json" is a forgotten value, not a rig called "--json"; write --rig=--json for that.
  if (token.value === undefined || (token.inlineValue !== true && token.value.startsWith('--'))) {
    throw usage('missing_value', `${token.rawName} needs a value.`, `Write ${token.rawName} <${option.value ?? 'value'}>.`, token.name);
  }
  return token.value;
}

function refuseNul(text: string | true): void {
  if (text !== true && text.includes('\0')) throw usage('bad_text', 'An argument holds a NUL character.', 'Remove it.');
}

function checkPositionals(spec: CommandSpec, positionals: readonly string[]): void {
  const names = spec.args ?? [];
  const missing = names.slice(positionals.length).find((name) => !name.startsWith('['));
  if (missing !== undefined) throw usage('missing_argument', `${missing} is missing.`, `Usage: ${spec.usage}`);
  const isOpen = names.at(-1)?.includes('…') === true;
  if (!isOpen && positionals.length > names.length) {
    throw usage('too_many_arguments', `${JSON.stringify(positionals[names.length])} is one argument too many.`, `Usage: ${spec.usage}; put quotes around a text with spaces.`);
  }
}
