import { describe, expect, it } from 'vitest';
import { REVIEW_TIMEOUT_MS } from '../core/limits.ts';
import { reviewerOf } from './review-config.ts';

describe('a review agent in the settings', () => {
  it('is nobody unless it is named, by the rig or for all', () => {
    expect(reviewerOf({}, undefined, 'rigs.app')).toEqual({});
    const usual = { runtime: 'claude', model: null, timeoutMs: REVIEW_TIMEOUT_MS, unanswered: 'ask' };
    expect(reviewerOf({ review_agent: 'claude' }, undefined, 'rigs.app')).toEqual({ reviewer: usual });
    const town = { review_agent: 'claude', review_timeout: '5m' };
    expect(reviewerOf({ review_agent: undefined, review_unanswered: 'go_on' }, town, 'rigs.app')).toEqual({
      reviewer: { ...usual, timeoutMs: 300_000, unanswered: 'go_on' },
    });
    expect(reviewerOf({ review_agent: 'none' }, town, 'rigs.app')).toEqual({});
  });
});
