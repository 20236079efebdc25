import { describe, expect, it } from 'vitest';
import { convoy, convoyBead } from '../../test/support/convoy-builder.ts';
import { convoyOutlook, namesOf } from './convoy-outlook.ts';
import type { Convoy, ConvoyBead } from './model/convoy.ts';

const closed = convoyBead(0, { status: 'closed' });
const live = convoyBead(1);
const failed = convoyBead(2, { status: 'failed' });
const cancelled = convoyBead(3, { status: 'cancelled' });
const nothing = { kind: 'nothing', to: 'cancelled', reason: 'every bead was cancelled' };

describe('what becomes of a convoy', () => {
  it.each<[string, Convoy['onFailure'], readonly ConvoyBead[], object]>([
    ['all ended well', 'hold', [closed], { kind: 'ready', without: [] }],
    ['it has no beads', 'hold', [], nothing],
    ['all were cancelled', 'hold', [cancelled], nothing],
    ['some run', 'hold', [closed, live], { kind: 'moving' }],
    ['some run, none failed', 'abort', [closed, live], { kind: 'moving' }],
    ['one failed', 'abort', [live, failed], { kind: 'abort', because: [failed] }],
    ['one was cancelled', 'abort', [live, cancelled], { kind: 'held', because: [cancelled] }],
    ['one failed', 'hold', [live, failed, cancelled], { kind: 'held', because: [failed, cancelled] }],
    ['one failed and others run', 'skip', [closed, live, failed], { kind: 'moving' }],
    ['the rest has ended', 'skip', [closed, failed], { kind: 'ready', without: [failed] }],
    [
      'nothing ended well',
      'skip',
      [failed, cancelled],
      { kind: 'nothing', to: 'failed', reason: 'no bead ended well: api-00002 (failed), api-00003 (cancelled)' },
    ],
  ])('%s, policy %s', (_case, onFailure, beads, outlook) => {
    expect(convoyOutlook(convoy({ onFailure }), beads)).toEqual(outlook);
  });

  it('names beads by id or title, and how they ended by reason or status', () => {
    expect(namesOf([convoyBead(0, { closeReason: 'merge_failed' }), convoyBead(1, { beadId: null, title: 'T' })])).toBe(
      'api-00000 (merge_failed), T (live)',
    );
  });
});
