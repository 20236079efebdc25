import { describe, expect, it } from 'vitest';
import { rigConfig } from '../../../test/support/rig-config.ts';
import { commit, rigView } from '../../../test/support/rig-view-builder.ts';
import { DEFAULT_MERGING } from '../commands.ts';
import { trusted } from '../model/ids.ts';
import { strategyFor } from './strategy.ts';

const withPulls = rigConfig('api', { merging: { ...DEFAULT_MERGING, strategy: 'pr' } });
const feature = {
  branch: 'gt/hq-cv-00000',
  convoyId: trusted.convoy('hq-cv-00000'),
  state: 'ready',
  headSha: commit(3),
  stepKey: null,
  reason: null,
  retryAtMs: null,
  escalated: false,
  version: 1,
} as const;

describe('how work is merged', () => {
  it('is what its rig says, and by the train without a word', () => {
    expect(strategyFor(rigView({ config: withPulls }), 'main')).toBe('pr');
    expect(strategyFor(rigView({ config: rigConfig('api', { merging: DEFAULT_MERGING }) }), 'main')).toBe('direct');
    expect(strategyFor(rigView(), 'main')).toBe('direct');
  });

  it('is by the train for a feature branch of a convoy, which is the town’s own: one pull request lands it', () => {
    const view = rigView({ config: withPulls, features: [feature] });
    expect(strategyFor(view, feature.branch)).toBe('direct');
    expect(strategyFor(view, 'main')).toBe('pr');
  });
});
