import { describe, expect, it } from 'vitest';
import { lifecycleOfMail, parseLifecycleAction, parseLifecycleAgent } from './lifecycle.ts';

const ME = { identity: 'api/polecats/nux', isAgent: true };
const PERSON = { identity: 'human/ada', isAgent: false };
const of = (body: unknown, sender = PERSON, subject = 'please'): unknown => {
  try {
    return lifecycleOfMail({ subject, body: typeof body === 'string' ? body : JSON.stringify(body) }, sender);
  } catch (error) {
    return error;
  }
};

describe('a lifecycle request by mail', () => {
  it('is read from the body', () => {
    const written = { from: 'api/polecats/nux', action: 'restart', timestamp: '2026-01-01T00:00:00Z' };
    const read = { agent: 'api/polecats/nux', action: 'restart', timestamp: '2026-01-01T00:00:00Z', note: '' };
    expect(of(written)).toEqual({ ...read, requestedBy: 'human/ada' });
    expect(of(written, ME)).toEqual({ ...read, requestedBy: 'api/polecats/nux' });
    expect(of(`\n  ${JSON.stringify(written)}  `, ME)).toEqual({ ...read, requestedBy: 'api/polecats/nux' });
    expect(of({ ...written, timestamp: 17 })).toMatchObject({ timestamp: '17' });
    expect(of({ ...written, timestamp: {} })).toMatchObject({ timestamp: null });
  });

  it('is read from the subject when the body says nothing of it', () => {
    expect(of('I am tired', ME, ' cycle ')).toMatchObject({
      agent: 'api/polecats/nux',
      action: 'cycle',
      timestamp: null,
    });
    expect(of({}, ME, 'shutdown')).toMatchObject({ agent: 'api/polecats/nux', action: 'shutdown' });
  });

  it('is for oneself, if an agent writes it', () => {
    const other = `api/polecats/${'x'.repeat(100)}`;
    expect(of({ from: other, action: 'cycle' }, ME)).toMatchObject({
      kind: 'forbidden',
      code: 'foreign_identity',
      message: `You are api/polecats/nux; you can't ask for "${other.slice(0, 80)}".`,
      next: 'Ask for yourself, or ask a person with "gt escalate".',
    });
  });

  it('names the agent, if a person writes it', () => {
    expect(of({ action: 'cycle' })).toMatchObject({
      kind: 'usage',
      code: 'bad_lifecycle_request',
      message: 'It is not said which agent this is about.',
      next: 'Write the body as {"from": "<rig>/polecats/<name>", "action": "cycle"}.',
      field: 'body',
    });
  });

  it('that is broken JSON is said to be that', () => {
    expect(of('{"from":')).toMatchObject({
      kind: 'usage',
      code: 'bad_lifecycle_request',
      message: 'The body is not valid JSON.',
      next: 'Write {"from", "action", "timestamp"}.',
      field: 'body',
    });
  });

  it('asks for one of the known actions', () => {
    expect(['cycle', 'restart', 'shutdown'].map(parseLifecycleAction)).toEqual(['cycle', 'restart', 'shutdown']);
    expect(of({ from: 'api/polecats/nux' }, PERSON, 'y'.repeat(100))).toMatchObject({
      kind: 'usage',
      code: 'unknown_lifecycle_action',
      message: `"${'y'.repeat(80)}" is not a lifecycle action.`,
      next: 'Actions: cycle, restart, shutdown.',
      field: 'action',
    });
  });
});

describe('whom a lifecycle request is about', () => {
  it('is an agent, or the mayor by either name', () => {
    expect(['mayor', 'mayor/', 'api/polecats/nux'].map(parseLifecycleAgent)).toEqual([
      'mayor/',
      'mayor/',
      'api/polecats/nux',
    ]);
    expect(() => parseLifecycleAgent('major')).toThrow(expect.objectContaining({ code: 'bad_agent' }));
  });
});
