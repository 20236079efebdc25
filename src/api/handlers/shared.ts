import type { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { RigRemoval, RigSummary } from '../../core/queries.ts';
import type { Caller, RigDrain, RigSettings } from '../../core/commands.ts';
import type { RigName } from '../../core/model/ids.ts';
import type { TownGateway } from '../../ports/town-gateway.ts';
import type { AppEnv } from '../auth.ts';
import type { DiffAnswer, DiffRequest } from '../contract/diff.ts';
import type { AddRigBody } from '../contract/rigs.ts';
import type { Streams } from '../stream/streams.ts';
import { problemSchema } from '../contract/common.ts';

export interface Transcript {
  readonly text: string;
  readonly nextOffset: number;
}

/** What handlers need besides the request. */
export interface Deps {
  readonly gateway: TownGateway;
  /** Checks and records a rig; a host that keeps a configuration file writes it there as well. */
  readonly addRig: (body: AddRigBody, caller: Caller) => Promise<RigSummary>;
  /** Changes settings of a rig where the host keeps them, and applies them. */
  readonly changeRig: (name: RigName, settings: RigSettings, caller: Caller) => Promise<RigSummary>;
  /** Removes a rig, also where the host keeps its settings. */
  readonly removeRig: (name: RigName, drain: RigDrain, caller: Caller) => Promise<RigRemoval>;
  /** Stored output of an attempt, from its runner; waits up to `waitMs` for the next output of a live one. */
  readonly transcript: (attempt: string, from: number, waitMs?: number) => Promise<Transcript>;
  /** What a piece of work changes, from the runner that has it; missing where nothing is asked of runners. */
  readonly diff?: (runner: string, request: DiffRequest) => Promise<DiffAnswer>;
  /** Connections that stay open; missing where nothing goes on. */
  readonly streams?: Streams | undefined;
  /** The lines to runners. */
  readonly runnerLine: {
    /** Why a runner that listens is not met at its address now; null: it is, or it dials in. */
    readonly unmet?: (id: string) => string | null;
    readonly drain: (id: string, on: boolean, graceMs: number | null) => Promise<void>;
  };
}

export type App = OpenAPIHono<AppEnv>;

export const TOWN_PATH = '/api/v1/towns/{town}';

const problem = {
  description: 'Error: problem+json with a stable code and the next step',
  content: { 'application/problem+json': { schema: problemSchema } },
} as const;

/** Responses of a route: its answer, and one shape for every error. */
export const answers = <S extends z.ZodType>(schema: S, description: string) =>
  ({ 200: { description, content: { 'application/json': { schema } } }, default: problem }) as const;

/** As `answers`, for what may be changed: the ETag is its version, for `If-Match`. */
export const tagged = <S extends z.ZodType>(schema: S, description: string) =>
  ({
    200: { description, headers: z.object({ ETag: z.string() }), content: { 'application/json': { schema } } },
    default: problem,
  }) as const;

export const jsonBody = <S extends z.ZodType>(schema: S) =>
  ({ body: { required: true, content: { 'application/json': { schema } } } }) as const;
/** A body that may be missing: all its fields are optional. */
export const optionalBody = <S extends z.ZodType>(schema: S) =>
  ({ body: { required: false, content: { 'application/json': { schema } } } }) as const;

export const ownerOnly: Record<string, string[]>[] = [{ owner: [] }];
export const runnerOnly: Record<string, string[]>[] = [{ runner: [] }];
export const mayorOnly: Record<string, string[]>[] = [{ mayor: [] }];
export const agentOnly: Record<string, string[]>[] = [{ agent: [] }];
