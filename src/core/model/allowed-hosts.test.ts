import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { allowedBy, type AllowedHost, parseAllowed, parseTarget } from './allowed-hosts.ts';

const list = (...entries: readonly string[]): readonly AllowedHost[] =>
  entries.map((entry) => {
    const allowed = parseAllowed(entry);
    if (allowed === null) throw new Error(`${entry} can't be read`);
    return allowed;
  });
const allows = (entries: readonly string[], target: string): boolean => {
  const to = parseTarget(target, null);
  return to !== null && allowedBy(list(...entries), to) !== null;
};

describe('the list of hosts', () => {
  it.each([
    ['api.example.com', 'api.example.com:443', true],
    ['API.Example.COM', 'api.example.com.:443', true],
    ['api.example.com', 'api.example.com:80', false],
    ['api.example.com:8443', 'api.example.com:8443', true],
    ['api.example.com', 'evil-api.example.com:443', false],
    ['api.example.com', 'api.example.com.evil.org:443', false],
    ['*.example.com', 'a.b.example.com:443', true],
    ['*.example.com', 'example.com:443', false],
    ['*.example.com', '.example.com:443', false],
    ['*.example.com', 'evilexample.com:443', false],
    ['192.0.2.1', '192.0.2.1:443', true],
    ['192.0.2.1', '192.0.2.2:443', false],
    ['*.2.1', '192.0.2.1:443', false],
    ['[2001:db8::1]:80', '[2001:db8::1]:80', true],
    ['private:models.corp.example', 'models.corp.example:443', true],
  ])('%s and %s: %s', (entry, target, is) => {
    expect(parseAllowed(entry) !== null && allows([entry], target)).toBe(is);
  });

  it.each(['', '*', '*.', 'a b', 'https://a.example', 'a.example/', 'a.example:0', 'a.example:99999', 'a..b', '-a.b'])(
    'does not take %s for a host',
    (entry) => {
      expect(parseAllowed(entry)).toBeNull();
    },
  );

  it.each(['2130706433', '127.1', '0x7f.0.0.1', '0177.0.0.1.1'])(
    'takes %s, an address in disguise, for no name',
    (entry) => {
      expect(parseAllowed(entry)).toBeNull();
      expect(allows(['*.example.com', '127.0.0.1'], `${entry}:443`)).toBe(false);
    },
  );

  it.each(['', 'a.example', ':443', 'a.example:443:1', '[::1', 'user@a.example:443', 'a.example:443 '])(
    'reads no target in %s',
    (text) => {
      const target = parseTarget(text, null);
      expect(target === null || allowedBy(list('a.example'), target) === null).toBe(true);
    },
  );

  it('has addresses and names, and says which of them may lie in a private network', () => {
    expect(list('api.example.com', 'private:models.example', '192.0.2.1', '[2001:db8::1]:80')).toEqual([
      { host: 'api.example.com', port: 443, isAddress: false, isPrivate: false },
      { host: 'models.example', port: 443, isAddress: false, isPrivate: true },
      { host: '192.0.2.1', port: 443, isAddress: true, isPrivate: true },
      { host: '2001:db8::1', port: 80, isAddress: true, isPrivate: true },
    ]);
  });

  it('lets a star stand for one letter too', () => {
    expect(allows(['*.example.com'], 'a.example.com:443')).toBe(true);
  });

  it('is asked for a whole target, with a port that there is and a name that DNS can have', () => {
    expect(parseTarget('a.example', null)).toBeNull();
    expect(parseTarget('a.example:1', null)).toEqual({ host: 'a.example', port: 1 });
    expect(parseTarget('a.example:65535', null)).toEqual({ host: 'a.example', port: 65_535 });
    expect(parseTarget('a.example:65536', null)).toBeNull();
    expect(parseTarget('a.example:0', null)).toBeNull();
    expect(parseTarget(`${'a'.repeat(253)}:443`, null)).not.toBeNull();
    expect(parseTarget(`${'a'.repeat(254)}:443`, null)).toBeNull();
    expect(parseTarget('evil[a.example:443', null)).toBeNull();
    expect(parseTarget('[not-an-address]:443', null)).toBeNull();
    expect(parseTarget('[::1]:443', null)).toEqual({ host: '::1', port: 443 });
  });

  it('allows nothing that is not in it', () => {
    fc.assert(
      fc.property(fc.domain(), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
        expect(allows(['api.example.invalid', '*.tools.invalid'], `${host}:${String(port)}`)).toBe(false);
        expect(parseAllowed(`${host}:${String(port)}`)).not.toBeNull();
        expect(allows([`${host}:${String(port)}`], `${host.toUpperCase()}:${String(port)}`)).toBe(true);
      }),
    );
  });
});
