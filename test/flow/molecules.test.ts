/** Formulas on virtual time: progress is the bead's, whatever becomes of agents and brains. */
import { describe, expect, it } from 'vitest';
import type { BeadId } from '../../src/core/model/ids.ts';
import { AGENT_VERBS, type Capability } from '../../src/core/queries.ts';
import { trusted } from '../../src/core/model/ids.ts';
import { makeFormula } from '../../src/core/model/molecule.ts';
import { sha } from '../support/fake-runner.ts';
import { human, newBead, openTown } from '../support/town-story.ts';
import { rigConfig, type VirtualTown } from '../support/virtual-town.ts';

const FORMULA = makeFormula('feature', [
  { title: 'Write the test', instructions: 'It fails first.' },
  { title: 'Make it pass' },
]);

async function working(): Promise<{ town: VirtualTown; bead: BeadId }> {
  const town = await openTown();
  const { id } = await town.service.createBead(newBead('one', { sling: false }), human);
  await town.service.beadCommand({ type: 'attach_formula', bead: id, formula: FORMULA }, human);
  await town.service.beadCommand(
    { type: 'sling', sling: { bead: id, runtime: null, model: null, pinnedAgent: null } },
    human,
  );
  await town.settle();
  return { town, bead: id };
}

async function capability(town: VirtualTown, bead: BeadId): Promise<Capability> {
  const attempt = (await town.service.getBead(bead)).attemptList.find((row) => row.endedAtMs === null);
  if (attempt === undefined) throw new Error('no live attempt');
  return {
    town: 'town-test',
    rig: trusted.rig('api'),
    agent: attempt.agentId,
    bead,
    attempt: attempt.id,
    epoch: attempt.epoch,
    verbs: AGENT_VERBS,
    expiresAtMs: town.nowMs + 1,
  };
}

describe('a formula', () => {
  it('is attached once; the same again changes nothing, another is refused', async () => {
    const { town, bead } = await working();
    await town.service.beadCommand({ type: 'attach_formula', bead, formula: FORMULA }, human);
    await expect(
      town.service.beadCommand({ type: 'attach_formula', bead, formula: { ...FORMULA, name: 'other' } }, human),
    ).rejects.toMatchObject({ code: 'has_molecule' });
    expect((await town.service.getBead(bead)).molecule?.steps).toHaveLength(2);
  });

  it('is in the prompt with its present step, and followed in order', async () => {
    const { town, bead } = await working();
    const [process] = town.runner.running();
    expect(process?.request.prompt).toContain('Step 1 of 2, now: Write the test');
    expect(process?.request.prompt).toContain('It fails first.');
    const own = await capability(town, bead);
    await expect(town.service.talk.advance(own, { step: 2, status: 'done', summary: 'x' })).rejects.toMatchObject({
      code: 'out_of_order',
    });
    await town.service.talk.advance(own, { step: 1, status: 'done', summary: 'red' });
    await town.service.talk.advance(own, { step: 1, status: 'done', summary: 'red' });
    await expect(town.service.talk.advance(own, { step: 1, status: 'done', summary: 'green' })).rejects.toMatchObject({
      code: 'step_settled',
    });
    expect((await town.service.talk.molecule(own)).steps).toMatchObject([
      { status: 'done', summary: 'red' },
      { status: 'open', summary: null },
    ]);
  });

  it('keeps its progress over the end of an agent and of the brain; a stale session changes nothing', async () => {
    const { town, bead } = await working();
    const stale = await capability(town, bead);
    await town.service.talk.advance(stale, { step: 1, status: 'done', summary: 'red' });
    town.runner.exit(stale.attempt, { exitCode: 1 });
    town.crash();
    await town.service.start([rigConfig('api')]);
    await town.advance(60_000);
    const [process] = town.runner.running();
    expect(process?.request.prompt).toContain('Step 2 of 2, now: Make it pass');
    expect(process?.request.prompt).toContain('red');
    await expect(town.service.talk.advance(stale, { step: 2, status: 'done', summary: 'late' })).rejects.toMatchObject({
      code: 'superseded',
    });
  });

  it('with open steps makes a done a question; skipped with a reason it is accepted', async () => {
    const { town, bead } = await working();
    const own = await capability(town, bead);
    town.runner.done(own.attempt, sha(0x100));
    await town.settle();
    expect(await town.service.verdict(trusted.rig('api'), own.attempt, own.epoch, 0)).toMatchObject({
      verdict: 'refused',
      code: 'open_steps',
    });
    await town.service.talk.advance(own, { step: 1, status: 'done', summary: 'red' });
    await town.service.talk.advance(own, { step: 2, status: 'skipped', summary: 'was green' });
    await town.advance(1_000);
    town.runner.done(own.attempt, sha(0x100));
    await town.settle();
    expect(await town.service.getBead(bead)).toMatchObject({
      status: 'closed',
      molecule: { steps: [{ status: 'done' }, { status: 'skipped', summary: 'was green' }] },
    });
  });

  it('with open steps refuses "nothing needs to change" too', async () => {
    const { town, bead } = await working();
    const own = await capability(town, bead);
    town.runner.noChange(own.attempt, 'it is fine');
    await town.settle();
    expect(await town.service.verdict(trusted.rig('api'), own.attempt, own.epoch, 0)).toMatchObject({
      verdict: 'refused',
      code: 'open_steps',
    });
    expect(await town.service.getBead(bead)).toMatchObject({ status: 'in_progress' });
  });

  it('is part of the new bead, or there is none', async () => {
    const town = await openTown();
    const { id } = await town.service.createBead(newBead('one', { formula: FORMULA }), human);
    await town.settle();
    expect(town.runner.running()[0]?.request.prompt).toContain('Step 1 of 2, now: Write the test');
    expect((await town.service.getBead(id)).molecule).toMatchObject({ formula: 'feature' });
  });

  it('is not attached to work that has begun', async () => {
    const town = await openTown();
    const { id } = await town.service.createBead(newBead('one'), human);
    await town.settle();
    await expect(
      town.service.beadCommand({ type: 'attach_formula', bead: id, formula: FORMULA }, human),
    ).rejects.toMatchObject({ code: 'takes_no_formula' });
  });

  it('begins anew with the bead that takes the place of an ended one', async () => {
    const { town, bead } = await working();
    const own = await capability(town, bead);
    await town.service.talk.advance(own, { step: 1, status: 'done', summary: 'red' });
    await town.service.beadCommand({ type: 'close', bead, reason: 'cancelled', note: '' }, human);
    await town.settle();
    await expect(town.service.talk.advance(own, { step: 2, status: 'done', summary: 'late' })).rejects.toMatchObject({
      code: 'superseded',
    });
    const successor = await town.service.beadCommand({ type: 'reopen', bead }, human);
    expect((await town.service.getBead(successor.id)).molecule).toMatchObject({
      formula: 'feature',
      steps: [{ status: 'open', summary: null, settledBy: null }, { status: 'open' }],
    });
    expect((await town.service.getBead(bead)).molecule?.steps).toMatchObject([{ status: 'done' }, { status: 'open' }]);
  });

  it.each([0, 1, 2, 5])(
    'takes a step once although the brain dies %i turns of the loop after the report',
    async (rounds) => {
      const { town, bead } = await working();
      const own = await capability(town, bead);
      const report = { step: 1, status: 'done', summary: 'red' } as const;
      town.service.talk.advance(own, report).catch(() => undefined);
      for (let round = 0; round < rounds; round += 1) await new Promise((resolve) => setImmediate(resolve));
      town.crash();
      await town.service.start([rigConfig('api')]);
      await town.service.talk.advance(own, report);
      const journal = town.databases.get('rig/api')?.all("SELECT seq FROM journal WHERE action = 'advance_molecule'");
      expect(journal).toHaveLength(1);
      expect((await town.service.getBead(bead)).molecule?.steps).toMatchObject([
        { status: 'done' },
        { status: 'open' },
      ]);
    },
  );

  it('is missing where there is none', async () => {
    const town = await openTown();
    const { id } = await town.service.createBead(newBead('two'), human);
    await town.settle();
    await expect(town.service.talk.molecule(await capability(town, id))).rejects.toMatchObject({ code: 'no_molecule' });
    expect((await town.service.getBead(id)).molecule).toBeNull();
  });
});
