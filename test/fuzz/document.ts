/** The OpenAPI document as the fuzz reads it: each call with its credential, its inputs and what its answer must look like. */
import { z } from 'zod';

/** The part of JSON Schema that the document uses. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

export type Credential = 'owner' | 'runner' | 'agent' | 'mayor';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly schema: Schema;
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly credential: Credential;
  readonly parameters: readonly Parameter[];
  /** Null: the call takes no body. */
  readonly body: { readonly required: boolean; readonly schema: Schema } | null;
  /** Media types of an answer with status 200. */
  readonly answers: readonly string[];
  /** What is wrong with a JSON answer; null: nothing. */
  readonly faultOf: (answer: unknown) => string | null;
  /** Whether the document allows this body. */
  readonly allows: (body: unknown) => boolean;
}

interface RawOperation {
  readonly security?: readonly Record<string, unknown>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Record<string, { readonly schema: Schema }> };
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: Schema }> }>;
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
}

const CREDENTIALS: ReadonlySet<string> = new Set(['owner', 'runner', 'agent', 'mayor']);
const isCredential = (value: string | undefined): value is Credential => value !== undefined && CREDENTIALS.has(value);

/** An answer has what the document says and nothing else: a field that is not named there is a fault as well. */
function closed(schema: Schema): Schema {
  const { properties, items, oneOf, anyOf } = schema;
  return {
    ...schema,
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, closed(part)])),
          additionalProperties: schema.additionalProperties ?? false,
        }),
    ...(items === undefined ? {} : { items: closed(items) }),
    ...(oneOf === undefined ? {} : { oneOf: oneOf.map(closed) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(closed) }),
  };
}

function validatorOf(schema: Schema): (value: unknown) => string | null {
  let parser: z.ZodType | null = null;
  return (value) => {
    parser ??= z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    const result = parser.safeParse(value);
    const issue = result.error?.issues[0];
    return issue === undefined ? null : `${issue.path.map(String).join('.')}: ${issue.message}`;
  };
}

function bodyOf(raw: RawOperation): Pick<Operation, 'body' | 'allows'> {
  const schema = raw.requestBody?.content['application/json']?.schema;
  if (schema === undefined) return { body: null, allows: () => true };
  const bodyFault = validatorOf(schema);
  const required = raw.requestBody?.required === true;
  return { body: { required, schema }, allows: (value) => bodyFault(value) === null };
}

function operationOf(method: string, path: string, raw: RawOperation): Operation {
  const credential = Object.keys(raw.security?.[0] ?? {})[0];
  if (!isCredential(credential)) throw new Error(`${method} ${path} names no credential`);
  const content = raw.responses['200']?.content ?? {};
  const answer = content['application/json']?.schema;
  return {
    method: method.toUpperCase(),
    path,
    credential,
    parameters: raw.parameters ?? [],
    ...bodyOf(raw),
    answers: Object.keys(content),
    faultOf: answer === undefined ? () => null : validatorOf(closed(answer)),
  };
}

export const operationsOf = (document: Document): readonly Operation[] =>
  Object.entries(document.paths).flatMap(([path, verbs]) =>
    Object.entries(verbs).map(([method, raw]) => operationOf(method, path, raw)),
  );
