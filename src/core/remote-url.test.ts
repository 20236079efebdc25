import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TownError } from './errors.ts';
import { hasPassword, parseProject, parseRemote, refusePassword, withoutLogin } from './remote-url.ts';

describe('the address of a remote', () => {
  it.each([
    ['https://github.com/acme/shop', 'github.com', 'acme/shop'],
    ['https://github.com/acme/shop.git', 'github.com', 'acme/shop'],
    ['https://github.com/acme/shop.git/', 'github.com', 'acme/shop'],
    ['https://someone:secret@GitHub.com/acme/shop.git', 'github.com', 'acme/shop'],
    ['https://code.example.org:8443/acme/shop.git', 'code.example.org:8443', 'acme/shop'],
    ['http://127.0.0.1:3999/acme/shop', '127.0.0.1:3999', 'acme/shop'],
    ['git@github.com:acme/shop.git', 'github.com', 'acme/shop'],
    ['github.com:acme/shop', 'github.com', 'acme/shop'],
    ['git@gitlab.com:group/sub.group/deep-er/name_1.git', 'gitlab.com', 'group/sub.group/deep-er/name_1'],
    ['org-123@github.com:acme/shop.git', 'github.com', 'acme/shop'],
    ['git@github.com:/acme/shop.git', 'github.com', 'acme/shop'],
    ['ssh://git@github.com/acme/shop.git', 'github.com', 'acme/shop'],
    ['ssh://git@code.example.org:2222/acme/shop.git', 'code.example.org', 'acme/shop'],
    ['git+ssh://git@code.example.org/acme/shop.git', 'code.example.org', 'acme/shop'],
    ['ssh://git@ssh.github.com:443/acme/shop.git', 'github.com', 'acme/shop'],
    ['ssh://git@altssh.gitlab.com:443/acme/shop.git', 'gitlab.com', 'acme/shop'],
    ['git://code.example.org/acme/shop.git', 'code.example.org', 'acme/shop'],
  ])('%s', (url, host, project) => {
    expect(parseRemote(url)).toEqual({ host, project });
  });

  it.each([
    '/srv/git/shop.git',
    './shop',
    '../acme/shop',
    'file:///srv/git/acme/shop.git',
    'C:\\work\\shop',
    'C:/work/shop',
    'https://github.com/shop',
    'https://github.com/',
    'https://github.com/acme/../shop',
    'https://github.com/acme/shop?x=1',
    'https://github.com/acme/sh op',
    'https://github.com/acme//shop',
    'git@github.com:acme/shop\nevil',
    'ext::sh -c true% acme/shop',
    '',
    `https://github.com/acme/${'a'.repeat(2_000)}`,
  ])('is none of a code host: %j', (url) => {
    expect(parseRemote(url)).toBeNull();
  });

  it('never gives a part that leads upwards or out of the path', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('a', 'B', '7', '.', '/', '-', '_', '@', ':', ' ', '%', '\n', '\u00e9'),
          maxLength: 30,
        }),
        fc.constantFrom('https://h.org/', 'git@h.org:', ''),
        (text, start) => {
          const remote = parseRemote(start + text);
          if (remote === null) return;
          for (const part of remote.project.split('/')) expect(part).toMatch(/^(?!\.{1,2}$)[\w.+-]+$/);
        },
      ),
    );
  });
});

describe('the project in a path', () => {
  it.each([
    ['//acme/shop//', 'acme/shop'],
    ['acme/shop.GIT', 'acme/shop'],
    ['acme/shop.github', 'acme/shop.github'],
    ['acme/.github', 'acme/.github'],
    ['acme/...', 'acme/...'],
  ])('%s is %s', (path, project) => {
    expect(parseProject(path)).toBe(project);
  });

  it.each(['', 'shop', 'acme/.', './shop', 'acme/..', '../shop', 'acme//shop'])('is none in %j', (path) => {
    expect(parseProject(path)).toBeNull();
  });

  it('has as many groups as a host allows, and an address as many characters as a line', () => {
    const groups = (count: number, size = 1): string => Array.from({ length: count }, () => 'g'.repeat(size)).join('/');
    expect(parseProject(groups(21))).toBe(groups(21));
    expect(parseProject(groups(22))).toBeNull();
    const address = (chars: number): string => {
      const start = `https://h.org/${groups(9, 100)}/`;
      return start + 'n'.repeat(chars - start.length);
    };
    expect(parseRemote(address(1_024))).not.toBeNull();
    expect(parseRemote(address(1_025))).toBeNull();
  });
});

describe('a password in an address', () => {
  it.each([
    'https://user:secret@h.org/a/b',
    'http://:token@127.0.0.1:8931/sub.git',
    'ssh://git:pw@h.org/a/b',
    'https://u:p@ss@h.org/a/b',
    'https://user%3Asecret@h.org/a/b',
    'https://ghp_16C7e42F292c6912E7710c838347Ae178B4a@github.com/a/b',
    'https://ghp_16C7e42F292c6912E7710c838347Ae178B4a:@github.com/a/b',
    'http://ghp_16C7e42F292c6912E7710c838347Ae178B4a@h.org/a/b',
    'https://github_pat_11ABCDEFG0aBcDeFgHiJkL_mNoP@github.com/a/b',
    'HTTPS://glpat-Zx9cVb8nM7aSdF6gH5jK@gitlab.com/a/b',
    'https::https://glpat-Zx9cVb8nM7aSdF6gH5jK@gitlab.com/a/b',
    // Gitea, Azure DevOps, a UUID.
    'https://5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b@h.org/a/b',
    'https://kq7zr2w4xv6n3b5m8j9h7g5f4d3s2a1qwertyu6iop7lkj8mnbv9@dev.azure.com/o/p/_git/r',
    'https://550e8400-e29b-41d4-a716-446655440000@h.org/a/b',
    // As short as one can be.
    'https://9f86d081884c7d659a2f@h.org/a/b',
    'https://50%x50e8400e29b41d4a716446655440000@h.org/a/b',
  ])('is seen in %s', (url) => {
    expect(hasPassword(url)).toBe(true);
  });

  it.each([
    'https://h.org/a/b',
    'https://user@h.org:8443/a/b',
    'https://user:@h.org/a/b',
    'https://x-access-token@github.com/a/b',
    'https://my-organisation-of-2026@dev.azure.com/my-organisation-of-2026/p/_git/r',
    'https://ada.lovelace1815%40mathematics.example.com@h.org/a/b',
    'https://glass-and-friends@h.org/a/b',
    'https://k8s42ops@h.org/a/b',
    'https://9f86d081884c7d659a2@h.org/a/b',
    // Only the web takes a token in place of a name; a helper of git may have any scheme.
    'xhttps://kq7zr2w4xv6n3b5m8j9h7g5f4d3s2a1@h.org/a/b',
    'httpsx://kq7zr2w4xv6n3b5m8j9h7g5f4d3s2a1@h.org/a/b',
    'ssh://kq7zr2w4xv6n3b5m8j9h7g5f4d3s2a1@h.org/a/b',
    'ssh://git@h.org:22/a/b',
    'git@h.org:a/b',
    'https://h.org:8443/a/b@c',
    'https://h.org/a:b@c',
    '/srv/a:b@c.git',
  ])('is not seen in %s', (url) => {
    expect(hasPassword(url)).toBe(false);
  });
});

describe('an address as it may be shown', () => {
  it.each([
    ['https://user:secret@h.org/a/b', 'https://h.org/a/b'],
    ['https://u:p@ss@h.org:8443/a/b', 'https://h.org:8443/a/b'],
    ['https::https://token@h.org/a/b', 'https::https://h.org/a/b'],
    ['ssh://git@h.org/a/b', 'ssh://h.org/a/b'],
    ['https://h.org/a//b@c', 'https://h.org/a//b@c'],
    ['git@h.org:a/b', 'git@h.org:a/b'],
    ['/srv//a@b.git', '/srv//a@b.git'],
  ])('%s: %s', (url, shown) => {
    expect(withoutLogin(url)).toBe(shown);
  });
});

/** What a caller is told. */
function refusal(url: string): TownError {
  try {
    refusePassword(url);
  } catch (error) {
    if (error instanceof TownError) return error;
    throw error;
  }
  throw new Error(`Not refused: ${url}`);
}

describe('an address for the settings', () => {
  it.each(['https://h.org/a/b', 'https://ada@h.org/a/b', 'ssh://git@h.org/a/b', 'git@h.org:a/b', '/srv/a.git'])(
    'is taken as it is without a password: %s',
    (url) => {
      expect(refusePassword(url)).toBe(url);
    },
  );

  it('is refused with one, which the refusal does not show', () => {
    const error = refusal('https://ada:secret@h.org/a/b');
    expect(error.kind).toBe('usage');
    expect(error.body()).toEqual({
      code: 'password_in_url',
      message:
        'The address https://h.org/a/b was given with a password or token, which gastown.toml and its backups would show. Nothing was changed.',
      next: 'Give it without the login: git asks its credential helper (or use ssh with a key). A clone\'s origin is changed with "git remote set-url".',
      field: 'url',
    });
  });

  it('is refused with any, and nothing of the login is left in what is shown', () => {
    // Signs that no other part of the refusal has.
    const login = fc.string({ unit: fc.constantFrom('Z', '0', '@', ':', '%', '\u00e9'), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.constantFrom('https', 'http', 'ssh', 'https::https'), login, login, (scheme, name, password) => {
        const url = `${scheme}://${name}:Q${password}@h.org/a/b`;
        const shown = `${scheme}://h.org/a/b`;
        expect(withoutLogin(url)).toBe(shown);
        expect(refusal(url).message).toBe(refusal(`${scheme}://ada:secret@h.org/a/b`).message);
        expect(refusePassword(shown)).toBe(shown);
      }),
    );
  });
});
