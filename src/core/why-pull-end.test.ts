import { describe, expect, it } from 'vitest';
import { proposal, pullView, type PullWorld } from '../../test/support/pull-table.ts';
import { beadId, commit, NOW } from '../../test/support/rig-view-builder.ts';
import { newTrain } from './model/train.ts';
import type { Proposal } from './model/proposal.ts';
import { cancelText, closingText, pullText } from './why-pull.ts';
import { whyBead } from './why.ts';

const cancel = (of: PullWorld): string => cancelText(pullView(of), 'api-merge');
type Closing = NonNullable<Proposal['closing']>;

describe('what a cancel waits for', () => {
  it('is the push, where the train merges', () => {
    const push = 'Its cancel waits until git says whether its push arrived.';
    expect(cancel({ step: 'proposed', review: { strategy: 'direct' } })).toBe(push);
    expect(cancelText(pullView({ step: 'proposed' }), 'api-gone')).toBe(push);
  });

  it('is git, where its forge says merged or shows nothing more', () => {
    const git = 'Its cancel waits until git says whether main has pull request #7.';
    expect(cancel({ step: 'confirming' })).toBe(git);
    expect(cancel({ step: 'proposed', pull: { lookError: 'no' } })).toBe(git);
  });

  it('is its forge, or the end of its queue', () => {
    const shows = 'Its cancel waits until its forge shows what became of pull request #7.';
    expect(cancel({ step: 'proposed' })).toBe(shows);
    expect(cancel({ step: 'proposed', seen: null })).toBe(shows);
    expect(cancel({ step: 'proposed', seen: { inQueue: true } })).toBe(
      'Its cancel waits until pull request #7 has left the queue of its forge.',
    );
    const unknown = cancelText({ ...pullView({ step: 'proposed' }), proposal: () => null }, 'api-merge');
    expect(unknown).toBe('Its cancel waits until its forge shows what became of pull request #0.');
  });
});

describe('what became of the pull request of cancelled work', () => {
  const became = (over: Partial<Closing>): string =>
    closingText(
      proposal({
        closing: {
          state: 'asked',
          asks: 1,
          number: 7,
          mergeSha: null,
          error: null,
          askedAtMs: NOW,
          isTold: false,
          ...over,
        },
      }),
    );

  it('is nothing where there was none', () => {
    expect(closingText(null)).toBe('');
    expect(closingText(proposal())).toBe('');
    expect(became({ asks: 0 })).toBe('');
    expect(became({ state: 'none' })).toBe('');
  });

  it.each<[Partial<Closing>, string]>([
    [{}, 'Its pull request #7 is to be closed; its forge has not answered yet.'],
    [{ number: null }, 'Its pull request is to be closed; its forge has not answered yet.'],
    [{ state: 'closed' }, 'Its pull request #7 is closed.'],
    [{ state: 'left' }, 'Its pull request #7 was opened by somebody else: it has a comment and stays open.'],
    [{ state: 'merged', mergeSha: commit(30) }, `Its pull request #7 was merged there all the same, as ${commit(30)}.`],
    [{ state: 'merged' }, 'Its pull request #7 was merged there all the same, as an unknown commit.'],
    [{ state: 'refused', error: 'no right' }, 'Its pull request #7 could not be closed: no right'],
    [{ state: 'refused' }, 'Its pull request #7 could not be closed: it was refused'],
  ])('is one sentence: %j', (over, text) => {
    expect(became(over)).toBe(text);
  });

  it('is said with the end of that work, where there is something to say', () => {
    const source = { status: 'closed', closeReason: 'cancelled', evidence: { note: 'Not needed.' } } as const;
    const why = (pull: Partial<Proposal>): unknown => {
      const view = pullView({ step: 'ended', source, pull });
      const bead = view.bead(beadId('task1'));
      return bead && whyBead(view, bead, [], NOW).sentence;
    };
    const closing = { state: 'closed', asks: 1, number: 7, mergeSha: null, error: null, askedAtMs: NOW } as const;
    expect(why({ closing: { ...closing, isTold: false } })).toBe(
      'Cancelled. Not needed. Its pull request #7 is closed.',
    );
    expect(why({})).toBe('Cancelled. Not needed.');
  });
});

describe('since when a pull request waits for a paused train', () => {
  it('is since when that was paused', () => {
    const since = (waitsFor: 'target' | 'people', state: 'paused' | 'running'): unknown => {
      const train = { ...newTrain('main'), state, changedAtMs: 3 };
      return pullText(
        pullView({ step: 'proposed', train, pull: { waitsFor, waitReason: 'it waits', waitSinceMs: 7 } }),
        'api-merge',
        0,
      )?.sinceMs;
    };
    expect([since('target', 'paused'), since('target', 'running'), since('people', 'paused')]).toEqual([3, 7, 7]);
  });
});
