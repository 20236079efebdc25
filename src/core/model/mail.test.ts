import { describe, expect, it } from 'vitest';
import { lifecycleOfMail } from './lifecycle.ts';
import { isAgentOf, parseAddress } from './mail.ts';

describe('an address', () => {
  it.each([
    ['human', 'human', 'human/'],
    ['human/ada', 'human', 'human/'],
    ['mayor/', 'mayor', 'mayor/'],
    ['daemon', 'daemon', 'daemon/'],
    ['api/witness', 'witness', 'api/witness'],
    ['api/refinery', 'refinery', 'api/refinery'],
    ['api/polecats/nux', 'agent', 'api/polecats/nux'],
    ['api/crew/ada', 'crew', 'api/crew/ada'],
    ['api/crew', 'group', 'api/crew'],
    ['api/polecats', 'group', 'api/polecats'],
    ['all', 'group', 'all/'],
    ['all/', 'group', 'all/'],
  ])('%s is %s at %s', (text, kind, form) => {
    expect(parseAddress(text)).toMatchObject({ kind, text: form });
  });

  it.each([
    '',
    '/',
    'api',
    'api/',
    'mayor/x',
    'daemon/x',
    'API/witness',
    'api/polecats/',
    'a/b/c/d',
    '../x/witness',
    '-x',
  ])('refuses %j', (text) => {
    expect(() => parseAddress(text)).toThrow(expect.objectContaining({ kind: 'usage' }));
  });

  it('of a group says of which rig, or of the town', () => {
    expect(parseAddress('all')).toMatchObject({ of: null });
    expect(parseAddress('all')).toMatchObject({ members: 'polecats' });
    expect(parseAddress('api/polecats')).toMatchObject({ of: 'api', members: 'polecats' });
    expect(parseAddress('api/crew')).toMatchObject({ of: 'api', members: 'crew' });
    expect(parseAddress('api/crew/ada')).toMatchObject({ rig: 'api', name: 'ada' });
  });

  it.each(['api', 'x'.repeat(200)])('of nobody is answered with all that there are: %s', (text) => {
    expect(() => parseAddress(text)).toThrow(
      expect.objectContaining({
        code: 'bad_address',
        message: `"${text.slice(0, 80)}" is not an address.`,
        next: 'Addresses: human/, mayor/, daemon/, <rig>/witness, <rig>/refinery, <rig>/polecats/<name>, <rig>/crew/<name>; groups: all, <rig>/polecats, <rig>/crew.',
        field: 'to',
      }),
    );
  });

  it('of a witness without a rig is a bad rig', () => {
    expect(() => parseAddress('/witness')).toThrow(expect.objectContaining({ code: 'bad_rig_name' }));
  });

  it('is local where the mailbox is in the rig', () => {
    expect(isAgentOf(parseAddress('api/polecats/nux'), 'api')).toBe(true);
    expect(isAgentOf(parseAddress('web/polecats/nux'), 'api')).toBe(false);
    expect(isAgentOf(parseAddress('api/witness'), 'api')).toBe(false);
  });
});

describe('a lifecycle request by mail', () => {
  const nux = { identity: 'api/polecats/nux', isAgent: true };
  const person = { identity: 'human/', isAgent: false };

  it('is the subject alone for the agent itself', () => {
    expect(lifecycleOfMail({ subject: ' cycle ', body: '' }, nux)).toMatchObject({
      agent: nux.identity,
      action: 'cycle',
      requestedBy: nux.identity,
      timestamp: null,
    });
  });

  it('is {from, action, timestamp} for a person', () => {
    const body = JSON.stringify({ from: 'api/polecats/nux', action: 'shutdown', timestamp: '2026-01-01T00:00:00Z' });
    expect(lifecycleOfMail({ subject: 'x', body }, person)).toMatchObject({
      agent: nux.identity,
      action: 'shutdown',
      requestedBy: 'human/',
      timestamp: '2026-01-01T00:00:00Z',
    });
  });

  it.each([
    ['no JSON', '{', 'bad_lifecycle_request'],
    ['a number for a name', '{"from":1,"action":"x"}', 'unknown_lifecycle_action'],
    ['nobody', '{"action":"cycle"}', 'bad_lifecycle_request'],
    ['a bad name', '{"from":"--help","action":"cycle"}', 'bad_agent'],
  ])('refuses %s', (_what, body, code) => {
    expect(() => lifecycleOfMail({ subject: 'cycle', body }, person)).toThrow(expect.objectContaining({ code }));
  });
});
