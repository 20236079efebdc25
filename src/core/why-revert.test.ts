import { describe, expect, it } from 'vitest';
import { CONVOY_ID } from '../../test/support/convoy-builder.ts';
import { trusted } from './model/ids.ts';
import type { ConvoyRevert } from './model/revert.ts';
import { revertedText } from './why-revert.ts';

const text = { id: CONVOY_ID, sentence: 'Landed.', next: null, command: null };
const revert = (over: Partial<ConvoyRevert> = {}): ConvoyRevert => ({
  convoyId: CONVOY_ID,
  rig: trusted.rig('api'),
  target: 'main',
  attempt: 1,
  state: 'reverted',
  beadId: null,
  mergeSha: null,
  reason: null,
  ...over,
});
const bead = { beadId: trusted.bead('api-undo1') };

describe('what an ended convoy says of its revert', () => {
  it('nothing without one', () => {
    expect(revertedText(text, [])).toBe(text);
  });

  it.each<[string, readonly ConvoyRevert[], object]>([
    [
      'that it is undone, or has nothing left',
      [revert(), revert({ rig: trusted.rig('web'), state: 'nothing' })],
      { sentence: 'Landed. Its revert: main of api is undone; main of web has nothing left of it.' },
    ],
    [
      'whose bead is not made yet',
      [revert(), revert({ rig: trusted.rig('web'), state: 'ordered' })],
      {
        sentence: 'Landed. Its revert: main of api is undone; main of web is being undone.',
        next: 'web makes its bead.',
      },
    ],
    [
      'which bead it waits for',
      [revert({ state: 'ordered', ...bead })],
      {
        sentence: 'Landed. Its revert: main of api is being undone as api-undo1.',
        next: 'The merge of api-undo1.',
        command: 'gt why api-undo1',
      },
    ],
    [
      'how it failed, and what tries again, whatever else goes on',
      [
        revert({ state: 'ordered', ...bead }),
        revert({ rig: trusted.rig('web'), state: 'failed', reason: 'cancelled' }),
        revert({ rig: trusted.rig('docs'), state: 'failed' }),
      ],
      {
        sentence:
          'Landed. Its revert: main of api is being undone as api-undo1; main of web could not be undone (cancelled); main of docs could not be undone (given up).',
        next: 'Asking for the revert again tries once more what could not be undone.',
        command: 'gt convoy revert hq-cv-00000',
      },
    ],
  ])('%s', (_case, reverts, says) => {
    expect(revertedText(text, reverts)).toEqual({ ...text, ...says });
  });
});
