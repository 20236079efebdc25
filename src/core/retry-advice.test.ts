import { describe, expect, it } from 'vitest';
import { attempt, bead, exitRecord, rigView } from '../../test/support/rig-view-builder.ts';
import { rigConfig } from '../../test/support/rig-config.ts';
import type { Bead } from './model/bead.ts';
import { retryAdvice, retryCommand } from './retry-advice.ts';

const PLAIN = 'gt bead retry api-task1';
const CHANGED = 'gt bead update api-task1 --runtime claude && gt bead retry api-task1';
const ended = (exitCode: number) => attempt(bead(), { endedAtMs: 1, exit: exitRecord({ exitCode }) });
const view = (runtime: string, exitCode = 65) =>
  rigView({ config: { ...rigConfig('api'), runtime }, attempts: [ended(exitCode)] });
const of = (over: Partial<Bead>, ...world: Parameters<typeof view>) => retryCommand(view(...world), bead(over));

describe('what a person can do about a bead that failed', () => {
  it('is to try again', () => {
    expect(of({ body: '```gt-script\nmake\n```' }, 'script')).toBe(PLAIN);
    expect(of({ body: '' }, 'script', 1)).toBe(PLAIN);
    expect(of({ body: '' }, 'claude')).toBe(PLAIN);
    expect(of({ body: '', runtime: 'claude' }, 'script')).toBe(PLAIN);
    expect(of({ body: '', kind: 'rework' }, 'script')).toBe(PLAIN);
    expect(retryAdvice(view('claude'), bead(), ended(1))).toBe(
      'Try again with "gt bead retry api-task1", or change it first with "gt bead update api-task1 --body-file <file>".',
    );
  });

  it('is to give it what it runs first, where recipes are run and it has none', () => {
    expect(of({ body: 'Fix the login page.' }, 'script')).toBe(CHANGED);
    expect(of({ body: '', runtime: 'script' }, 'claude')).toBe(CHANGED);
    expect(retryAdvice(view('script'), bead({ body: '' }), ended(65))).toBe(
      'Give it another runtime with "gt bead update api-task1 --runtime claude", or such a block with "gt bead update api-task1 --body-file <file>"; then "gt bead retry api-task1".',
    );
  });
});
