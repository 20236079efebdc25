/** Requests for the fuzz, from right to rubbish, as they go over the wire. */
import fc from 'fast-check';
import type { Credential, Operation, Parameter } from './document.ts';
import { hostileText, poolValue, rubbish, spoilt, valid } from './values.ts';

/** How far a request is from what the document says. */
export type Level = 'valid' | 'almost' | 'rubbish';

export interface Draft {
  readonly level: Level;
  readonly operation: Operation;
  readonly method: string;
  /** Segments and query of the path, escaped except for marks of the pool. */
  readonly path: string;
  readonly credential: Credential | 'none' | 'nonsense';
  readonly headers: Readonly<Record<string, string>>;
  /** Text as it is sent; null: none. */
  readonly body: string | null;
  /** Why the town must refuse it, whatever it has; null: it may take it. */
  readonly mustRefuse: string | null;
}

const JSON_TYPE = 'application/json';

const HALF_A_CHARACTER = /\p{Surrogate}/gu;
/** `encodeURIComponent` throws for half a character, and a mark is filled in later. */
const escaped = (text: string): string =>
  text.startsWith('\u27e6') ? text : encodeURIComponent(text.replaceAll(HALF_A_CHARACTER, '?')).replaceAll('.', '%2E');

/** The segment before a parameter says what it names. */
function pathOf(
  operation: Operation,
  value: (field: string, parameter: Parameter | undefined) => fc.Arbitrary<string>,
): fc.Arbitrary<string> {
  const segments = operation.path.split('/');
  return fc
    .tuple(
      ...segments.map((segment, index) => {
        if (segment === '{town}') return fc.constant('_');
        if (!segment.startsWith('{')) return fc.constant(segment);
        const name = segment.slice(1, -1);
        return value(
          segments[index - 1] ?? '',
          operation.parameters.find((parameter) => parameter.in === 'path' && parameter.name === name),
        ).map(escaped);
      }),
    )
    .map((parts) => parts.join('/'));
}

type Pairs = readonly (readonly [name: string, value: string])[];

const queryText = (pairs: Pairs): string =>
  pairs.length === 0 ? '' : `?${pairs.map(([name, value]) => `${escaped(name)}=${escaped(value)}`).join('&')}`;

function queryOf(operation: Operation): fc.Arbitrary<Pairs> {
  const parameters = operation.parameters.filter((parameter) => parameter.in === 'query');
  return fc
    .tuple(
      ...parameters.map(({ name, schema, required }) =>
        fc.option(
          valid(schema, name).map(
            (value) => [name, typeof value === 'string' ? value : JSON.stringify(value)] as const,
          ),
          { nil: null, freq: required ? 50 : 1 },
        ),
      ),
    )
    .map((pairs) => pairs.filter((pair) => pair !== null));
}

const bodyText = (value: unknown): string => JSON.stringify(value) ?? 'null';

/** Bodies that chance hardly ever makes, by the end of the path. */
const EXAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  formula: [
    {
      name: 'feature',
      steps: [
        { id: 'plan', title: 'Plan it' },
        { title: 'Build it', needs: ['plan'], optional: true },
      ],
    },
  ],
  convoys: [
    {
      title: 'two',
      tasks: [
        { rig: 'api', title: 'a' },
        { rig: 'web', title: 'b', depends_on: [0] },
      ],
      staged: true,
    },
    { title: 'landing', tasks: [{ rig: 'api', title: 'a' }], merge_mode: 'review-then-land' },
  ],
  add: [{ tasks: [{ rig: 'api', title: 'one more' }] }],
  advance: [
    { step: 1, summary: 'planned' },
    { step: 2, status: 'skipped', summary: 'was there' },
  ],
};

function validBody(operation: Operation): fc.Arbitrary<string | null> {
  if (operation.body === null) return fc.constant(null);
  const examples = EXAMPLES[operation.path.split('/').at(-1) ?? ''] ?? [];
  const made = valid(operation.body.schema).map(bodyText);
  const text = examples.length === 0 ? made : fc.oneof(made, fc.constantFrom(...examples.map(bodyText)));
  return operation.body.required ? text : fc.option(text, { nil: null, freq: 4 });
}

const withType = (body: string | null): Readonly<Record<string, string>> =>
  body === null ? {} : { 'content-type': JSON_TYPE };

function right(operation: Operation): fc.Arbitrary<Draft> {
  const key = fc.option(fc.stringMatching(/^[!-~]{1,40}$/), { nil: null, freq: 1 });
  return fc
    .tuple(
      pathOf(operation, (field) => poolValue(field)),
      queryOf(operation),
      validBody(operation),
      key,
    )
    .map(([path, query, body, idempotency]) => ({
      level: 'valid',
      operation,
      method: operation.method,
      path: `${path}${queryText(query)}`,
      credential: operation.credential,
      headers: { ...withType(body), ...(idempotency === null ? {} : { 'idempotency-key': idempotency }) },
      body,
      mustRefuse: null,
    }));
}

/** One thing is wrong with a request that is right otherwise. */
type Flaw = (draft: Draft) => fc.Arbitrary<Draft>;

const isSafeHeader = (text: string): boolean => /^[\x20-\x7e\x80-\xff]*$/.test(text) && text.trim() === text;

const badKey: Flaw = (draft) =>
  fc.constantFrom('with space', 'é', 'k'.repeat(201), '', '\u00a0').map((key) => ({
    ...draft,
    headers: { ...draft.headers, 'idempotency-key': key },
    mustRefuse: 'the Idempotency-Key is not one',
  }));

const oddHeader: Flaw = (draft) =>
  fc
    .tuple(
      fc.constantFrom(
        'if-match',
        'if-none-match',
        'last-event-id',
        'accept',
        'accept-encoding',
        'cookie',
        'range',
        'x-http-method-override',
        'sec-fetch-site',
      ),
      hostileText.filter(isSafeHeader).map((text) => text.slice(0, 2_000)),
    )
    .map(([name, text]) => ({ ...draft, headers: { ...draft.headers, [name]: text } }));

const wrongCredential: Flaw = (draft) =>
  fc
    .constantFrom('none' as const, 'nonsense' as const, 'owner' as const, 'runner' as const, 'agent' as const)
    .filter((credential) => credential !== draft.credential)
    .map((credential) => ({ ...draft, credential, mustRefuse: 'the credential is of another kind' }));

const oddPath: Flaw = (draft) =>
  pathOf(draft.operation, () => hostileText.filter((text) => text !== '').map((text) => text.slice(0, 4_000))).map(
    (path) => ({ ...draft, path }),
  );

const oddQuery: Flaw = (draft) => {
  const known = draft.operation.parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
  const name = known.length === 0 ? fc.constant('after') : fc.constantFrom(...known, 'unheard_of');
  return fc
    .array(
      fc.tuple(
        name,
        hostileText.map((text) => text.slice(0, 5_000)),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((pairs) => ({ ...draft, path: `${draft.path.split('?')[0] ?? ''}${queryText(pairs)}` }));
};

const spoiltBody: Flaw = (draft) => {
  const { body } = draft.operation;
  if (body === null) return fc.constant(draft);
  return spoilt(valid(body.schema)).map((value) => ({
    ...draft,
    headers: { ...draft.headers, 'content-type': JSON_TYPE },
    body: bodyText(value),
  }));
};

/** Text that is no JSON, or JSON that says a thing twice. */
const brokenText: Flaw = (draft) => {
  if (draft.body === null) return fc.constant(draft);
  const { body } = draft;
  return fc.tuple(fc.nat({ max: 5 }), fc.nat()).map(([how, at]) => {
    const cut = at % Math.max(1, body.length);
    const texts = [
      body.slice(0, cut),
      `${body}${body}`,
      `\ufeff${body}`,
      body.replaceAll('"', "'"),
      `${body},`,
      body.replace('{', '{"title":1,"title":2,'),
    ];
    return { ...draft, body: texts[how] ?? '' };
  });
};

const wrongType: Flaw = (draft) => {
  if (draft.body === null || draft.operation.body?.required !== true) return fc.constant(draft);
  return fc
    .constantFrom(
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'image/png',
    )
    .map((type) => ({
      ...draft,
      headers: { ...draft.headers, 'content-type': type },
      mustRefuse: 'the body is not declared as JSON',
    }));
};

const otherMethod: Flaw = (draft) =>
  fc.constantFrom('PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD').map((method) => ({
    ...draft,
    method,
    body: method === 'HEAD' ? null : draft.body,
  }));

const FLAWS: readonly Flaw[] = [
  badKey,
  oddHeader,
  wrongCredential,
  oddPath,
  oddQuery,
  spoiltBody,
  spoiltBody,
  spoiltBody,
  brokenText,
  wrongType,
  otherMethod,
];

const almost = (operation: Operation): fc.Arbitrary<Draft> =>
  fc
    .tuple(right(operation), fc.constantFrom(...FLAWS))
    .chain(([draft, flaw]) => flaw(draft).map((flawed) => ({ ...flawed, level: 'almost' as const })));

/** Nothing is right but, perhaps, the path. */
const nonsense = (operation: Operation): fc.Arbitrary<Draft> =>
  fc
    .tuple(
      fc.oneof(
        pathOf(operation, () => hostileText.filter((text) => text !== '').map((text) => text.slice(0, 4_000))),
        pathOf(operation, (field) => poolValue(field)),
      ),
      fc.oneof(rubbish.map(bodyText), hostileText),
      fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', operation.method, operation.method),
      fc.constantFrom(JSON_TYPE, JSON_TYPE, 'text/plain', ''),
    )
    .map(([path, body, method, type]) => ({
      level: 'rubbish',
      operation,
      method,
      path,
      credential: operation.credential,
      headers: type === '' ? {} : { 'content-type': type },
      body: method === 'GET' || method === 'HEAD' ? null : body,
      mustRefuse: null,
    }));

/** Any request about one of the operations. */
export const draftOf = (operations: readonly Operation[]): fc.Arbitrary<Draft> =>
  fc
    .constantFrom(...operations)
    .chain((operation) =>
      fc.oneof(
        { weight: 4, arbitrary: right(operation) },
        { weight: 5, arbitrary: almost(operation) },
        { weight: 1, arbitrary: nonsense(operation) },
      ),
    );
