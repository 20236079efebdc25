/** Values for the fuzz: what a schema allows, what is almost that, and rubbish. */
import fc from 'fast-check';
import type { Schema } from './document.ts';

/** Stands for something that the town has when the call is sent; which kind is known by the field that it is for. */
const poolMark = (kind: string, at: number): string => `\u27e6${kind}:${String(at)}\u27e7`;
export const POOL_MARK = /\u27e6([a-z]+):(\d+)\u27e7/g;
/** How many different things of one kind are asked for. */
const POOL_SPREAD = 12;

/** Which things of the town a field or path segment names. */
const POOL_OF: Readonly<Record<string, string>> = {
  rig: 'rig',
  rigs: 'rig',
  bead: 'bead',
  beads: 'bead',
  depends_on: 'bead',
  parent: 'bead',
  convoy: 'convoy',
  convoys: 'convoy',
  escalation: 'escalation',
  escalations: 'escalation',
  mail: 'mail',
  reply_to: 'mail',
  agent: 'agent',
  agents: 'agent',
  to: 'agent',
  from: 'agent',
  address: 'agent',
  attempt: 'attempt',
  runners: 'runner',
  runner: 'runner',
  budgets: 'budget',
  messages: 'message',
  why: 'any',
  id: 'any',
  name: 'any',
  scope: 'scope',
  action: 'action',
  option: 'option',
  status: 'status',
  needs: 'step',
  entity: 'any',
};

export const poolValue = (field: string): fc.Arbitrary<string> =>
  fc.nat({ max: POOL_SPREAD }).map((at) => poolMark(POOL_OF[field] ?? 'any', at));

/** Texts that programs trip over; all are ordinary JSON strings. */
const HOSTILE_TEXTS: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\n',
  '\u001b]0;title\u0007\u001b[2J',
  '\ud800',
  '\udfff\ud800',
  '\u202eabc',
  '\ufeff',
  '💥'.repeat(300),
  'é'.repeat(3_000),
  'a'.repeat(70_000),
  '../../../etc/passwd',
  '..',
  '.',
  '/',
  '%00',
  '%2e%2e%2f',
  "'; DROP TABLE beads; --",
  '" OR 1=1 --',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  'true',
  '0',
  '-1',
  '1e999',
  '9007199254740993',
  'refs/heads/main',
  '-rf',
  '--upload-pack=touch /tmp/x',
  'hq-cv-00000',
  'hq-esc-00000000',
  'app-00000',
  'at-0123456789abcdef',
  'ml-0123456789abcdef',
  'app/polecats/nux',
  'mayor/',
  'human/',
  'rig/app',
  'g1.t.zzzzzzzzzzz',
  'g1.t.1.t.2',
  'eyJhbGciOiJub25lIn0.e30.',
  '$(touch /tmp/x)',
  '<script>alert(1)</script>',
];
const HOSTILE_NUMBERS = [0, -0, -1, 1.5, 1e308, -1e308, 2 ** 31, 2 ** 53, 2 ** 53 + 2, -(2 ** 63), 5e-324];

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...HOSTILE_TEXTS) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 300 }) },
);

const nested = (depth: number): unknown => {
  let value: unknown = {};
  for (let at = 0; at < depth; at += 1) value = at % 2 === 0 ? [value] : { a: value };
  return value;
};
/** Deeper than any parser that calls itself likes, but sendable. */
const DEEP = 900;

export const rubbish: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: hostileText },
  { weight: 2, arbitrary: fc.constantFrom(...HOSTILE_NUMBERS) },
  { weight: 1, arbitrary: fc.constantFrom(null, true, false, [], {}, [[]], [null]) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.constant(nested(DEEP)) },
);

/** Words that make a plausible title or text. */
const plainText = fc.constantFrom('Fix the login', 'a', 'Say hello', 'x y z', 'Ünïcödé 🙂', 'line one\nline two');

function textOf(schema: Schema, field: string): fc.Arbitrary<string> {
  if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern, 'u'));
  const max = schema.maxLength ?? 200;
  const fits = (text: string): boolean => text.length >= (schema.minLength ?? 0) && text.length <= max;
  const free = fc.oneof(
    { weight: 4, arbitrary: plainText },
    {
      weight: 1,
      arbitrary: fc.string({ unit: 'grapheme', minLength: schema.minLength ?? 0, maxLength: Math.min(max, 60) }),
    },
    { weight: 1, arbitrary: fc.constantFrom(...HOSTILE_TEXTS) },
  );
  const named = POOL_OF[field];
  return (
    named === undefined ? free : fc.oneof({ weight: 4, arbitrary: poolValue(field) }, { weight: 1, arbitrary: free })
  ).map((text) => (fits(text) ? text : 'x'.repeat(Math.max(1, schema.minLength ?? 1))));
}

function numberOf(schema: Schema): fc.Arbitrary<number> {
  const low = schema.exclusiveMinimum === undefined ? (schema.minimum ?? -1_000) : schema.exclusiveMinimum + 1;
  const high = schema.maximum ?? Math.max(low + 100_000, 1);
  const whole = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: Math.ceil(low), max: Math.ceil(low) + Math.min(1_000, high - low) }) },
    { weight: 1, arbitrary: fc.constantFrom(low, high) },
  );
  return schema.type === 'number' ? fc.oneof(whole, fc.double({ min: low, max: high, noNaN: true })) : whole;
}

function objectOf(schema: Schema): fc.Arbitrary<unknown> {
  const entries = Object.entries(schema.properties ?? {});
  const extra = schema.additionalProperties;
  if (entries.length === 0)
    return typeof extra === 'object'
      ? fc.dictionary(fc.string({ minLength: 1, maxLength: 12 }), valid(extra), { maxKeys: 3 })
      : fc.constant({});
  const model = Object.fromEntries(entries.map(([name, part]) => [name, valid(part, name)]));
  const required = entries.map(([name]) => name).filter((name) => schema.required?.includes(name) === true);
  return fc.record(model, { requiredKeys: required });
}

/** Values that the schema allows. `field`: the name under which it stands. */
export function valid(schema: Schema, field = ''): fc.Arbitrary<unknown> {
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => valid(choice, field)));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (typeof schema.type === 'object') return fc.oneof(...schema.type.map((type) => valid({ ...schema, type }, field)));
  const make = Object.hasOwn(BY_TYPE, schema.type ?? '') ? BY_TYPE[schema.type ?? ''] : undefined;
  return make === undefined ? fc.jsonValue({ maxDepth: 2 }) : make(schema, field);
}

const LIST_ITEMS_MAX = 4;

function listOf(schema: Schema, field: string): fc.Arbitrary<unknown> {
  const maxLength = Math.min(schema.maxItems ?? LIST_ITEMS_MAX, LIST_ITEMS_MAX);
  return fc.array(valid(schema.items ?? {}, field), { minLength: schema.minItems ?? 0, maxLength });
}

const BY_TYPE: Readonly<Record<string, (schema: Schema, field: string) => fc.Arbitrary<unknown>>> = {
  string: textOf,
  integer: numberOf,
  number: numberOf,
  boolean: () => fc.boolean(),
  null: () => fc.constant(null),
  array: listOf,
  object: objectOf,
};

/** Somewhere in the value something else stands: another type, a hostile text, a field too many or too few. */
export const spoilt = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.tuple(value, fc.nat(), rubbish, fc.nat({ max: 4 })).map(([whole, at, wrong, how]) => spoil(whole, at, wrong, how));

const HOW_REMOVE = 0;
const HOW_ADD = 1;

function spoil(value: unknown, at: number, wrong: unknown, how: number): unknown {
  if (Array.isArray(value)) {
    if (value.length === 0 || at % 3 === 0) return [...value, wrong];
    const place = at % value.length;
    return value.map((item: unknown, index) => (index === place ? spoil(item, at >> 2, wrong, how) : item));
  }
  if (typeof value !== 'object' || value === null) return wrong;
  const entries = Object.entries(value);
  if (how === HOW_ADD || entries.length === 0) {
    const name =
      typeof wrong === 'string' && wrong.length < 100 ? wrong : ['extra', '__proto__', 'constructor'][at % 3];
    return Object.fromEntries([...entries, [name, wrong]]);
  }
  const place = at % entries.length;
  if (how === HOW_REMOVE) return Object.fromEntries(entries.filter((_, index) => index !== place));
  const isDeeper = how === 4;
  return Object.fromEntries(
    entries.map(([name, item], index) => [
      name,
      index !== place ? item : isDeeper ? spoil(item, at >> 2, wrong, how) : wrong,
    ]),
  );
}
