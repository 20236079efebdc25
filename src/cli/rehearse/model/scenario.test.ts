import { describe, expect, it } from 'vitest';
import type { Item } from './conversation.ts';
import { findPlace, scenarioLine } from './scenario.ts';

const steps = [{ say: 'a', shell: 'first', first: true }, { shell: 'second' }, { say: 'end' }];
const order: Item = { role: 'user', text: `Do it.\n${scenarioLine({ steps })}\nThanks.` };
const called: Item = { role: 'assistant', text: '', calls: 1 };
const words: Item = { role: 'assistant', text: 'a', calls: 0 };
const result: Item = { role: 'tool', text: 'ok' };
const at = (...items: readonly Item[]): unknown => findPlace(items).step;

describe('the place in a script', () => {
  it('is what was done after the order', () => {
    expect(at(order)).toEqual(steps[0]);
    expect(at(order, called, result)).toEqual(steps[1]);
    expect(at(order, called, result, called, result)).toEqual(steps[2]);
    expect(at(order, called, result, called, result, words)).toEqual({ say: 'The script has no more steps.' });
  });

  it('counts a reply once, in however many parts it comes', () => {
    expect(at(order, words, called, result)).toEqual(steps[1]);
    expect(at(order, words, words, called, result)).toEqual(steps[1]);
  });

  it('begins again with the newest order, without what only a first process does', () => {
    expect(at(order, called, result, order)).toEqual(steps[1]);
    expect(findPlace([order, called, order])).toMatchObject({ orders: 2 });
  });

  it('goes on after words of somebody else', () => {
    expect(at(order, called, result, { role: 'user', text: 'Hurry.' })).toEqual(steps[1]);
  });

  it('is nowhere without an order, and says what is wrong with one', () => {
    expect(findPlace([{ role: 'user', text: 'Hello.' }])).toEqual({ step: null, key: '', orders: 0 });
    expect(at({ role: 'user', text: 'scripted-model: {"steps":[]}' })).toMatchObject({
      say: expect.stringContaining("can't be read"),
    });
    expect(at({ role: 'user', text: 'scripted-model: nonsense' })).toMatchObject({
      say: expect.stringContaining("can't be read"),
    });
  });
});
