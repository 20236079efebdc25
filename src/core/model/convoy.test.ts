import { describe, expect, it } from 'vitest';
import { convoy } from '../../../test/support/convoy-builder.ts';
import { CONVOY_STATUSES, isConvoyEnded, landedPartially } from './convoy.ts';

describe('a convoy', () => {
  it('has ended when it landed, failed or was cancelled', () => {
    expect(CONVOY_STATUSES.filter(isConvoyEnded)).toEqual(['landed', 'failed', 'cancelled']);
  });

  it('has landed partially when some of its beads are left out', () => {
    const of = (status: 'landed' | 'active', closedBeads: number): boolean =>
      landedPartially(convoy({ status, totalBeads: 2, closedBeads }));
    expect([of('landed', 1), of('landed', 2), of('active', 1)]).toEqual([true, false, false]);
  });
});
