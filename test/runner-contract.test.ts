/** The wire schemas of the runner protocol and the plain types of the core say the same, field by field. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ExitRecord } from '../src/api/contract/exit-record.ts';
import * as wire from '../src/api/contract/runner.ts';
import type * as core from '../src/core/facts.ts';

/** Schemas infer mutable types; the core's are read-only. Nothing else may differ. */
type Deep<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Deep<Item>[]
    : { readonly [Key in keyof T]: Deep<T[Key]> };

describe('the runner protocol', () => {
  it('has the same types on the wire and in the core', () => {
    expectTypeOf<Deep<wire.StartAgent>>().toEqualTypeOf<Deep<core.StartAgent>>();
    expectTypeOf<Deep<ExitRecord>>().toEqualTypeOf<Deep<core.ExitRecord>>();
    expectTypeOf<Deep<wire.AgentReport>>().toEqualTypeOf<Deep<core.AgentReport>>();
    expectTypeOf<Deep<wire.StopAgent>>().toEqualTypeOf<Deep<core.StopAgent>>();
    expectTypeOf<Deep<wire.StopAnswer>>().toEqualTypeOf<Deep<core.StopAnswer>>();
    expectTypeOf<Deep<wire.AgentMessage>>().toEqualTypeOf<Deep<core.AgentMessage>>();
    expectTypeOf<Deep<wire.MessageAnswer>>().toEqualTypeOf<Deep<core.MessageAnswer>>();
    expectTypeOf<Deep<wire.Job>>().toEqualTypeOf<Deep<core.Job>>();
    expectTypeOf<Deep<wire.JobResult>>().toEqualTypeOf<Deep<core.JobResult>>();
    expectTypeOf<Deep<wire.Fact>>().toEqualTypeOf<Deep<core.Fact>>();
    expectTypeOf<Deep<wire.Verdict>>().toEqualTypeOf<Deep<core.Verdict>>();
  });

  it('passes over fields of a newer side, and refuses values that are wrong', () => {
    const stop = { attempt: 'at-1', epoch: 1, mode: 'graceful' };
    expect(wire.stopAgentSchema.safeParse(stop).success).toBe(true);
    expect(wire.stopAgentSchema.parse({ ...stop, force: true })).toEqual(stop);
    expect(wire.stopAgentSchema.safeParse({ ...stop, epoch: 0 }).success).toBe(false);
  });
});
