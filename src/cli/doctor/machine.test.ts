import { describe, expect, it } from 'vitest';

import { isGitFit } from './machine.ts';

describe('the git of this machine', () => {
  it.each(['2.39.4', '2.39.5', '2.40.0', '2.43.0', '3.0'])('%s is fit', (version) => {
    expect(isGitFit(version)).toBe(true);
  });
  it.each(['2.39.3', '2.39', '2.38.9', '1.99.99'])('%s is not', (version) => {
    expect(isGitFit(version)).toBe(false);
  });
});
