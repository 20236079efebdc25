import { describe, expect, it } from 'vitest';
import type { ForgeSite } from '../core/model/pull-request.ts';
import { parseSettings } from './settings.ts';

const TOKEN = 'forge_token = "env:FORGE_TOKEN"';
const site = (url: string, ...lines: string[]): ForgeSite | undefined =>
  parseSettings(`[rigs.shop]\nurl = ${JSON.stringify(url)}\nprefix = "sh"\n${lines.join('\n')}\n`, 'gastown.toml', {})
    .rigs[0]?.forge;
const refusal = (url: string, ...lines: string[]): string => {
  try {
    site(url, ...lines);
  } catch (error) {
    return String(error);
  }
  return 'accepted';
};

describe('the code host of a rig', () => {
  it('follows from the address of the repository', () => {
    const token = 'env:FORGE_TOKEN';
    expect(site('git@github.com:acme/shop.git', TOKEN)).toEqual({
      kind: 'github',
      apiUrl: 'https://api.github.com',
      project: 'acme/shop',
      token,
    });
    expect(site('https://acme.ghe.com/acme/shop', TOKEN)?.apiUrl).toBe('https://api.acme.ghe.com');
    expect(site('https://gitlab.com/acme/web/shop.git', TOKEN)).toEqual({
      kind: 'gitlab',
      apiUrl: 'https://gitlab.com/api/v4',
      project: 'acme/web/shop',
      token,
    });
  });

  it('is named where the address does not tell', () => {
    const own = 'https://code.acme.org:8443/acme/shop.git';
    expect(site(own, TOKEN, 'forge = "github"')?.apiUrl).toBe('https://code.acme.org:8443/api/v3');
    expect(site(own, TOKEN, 'forge = "gitlab"')?.apiUrl).toBe('https://code.acme.org:8443/api/v4');
    const all = [TOKEN, 'forge = "gitlab"', 'forge_url = "https://h.org/gl/api/v4/"', 'forge_project = "a/b/c"'];
    expect(site('/srv/git/shop.git', ...all)).toMatchObject({ apiUrl: 'https://h.org/gl/api/v4', project: 'a/b/c' });
  });

  it('is none where nothing is said of one', () => {
    expect(site('git@github.com:acme/shop.git')).toBeUndefined();
    expect(site('/srv/git/shop.git')).toBeUndefined();
  });

  it.each([
    ['https://code.acme.org/acme/shop', [TOKEN], 'name it with forge'],
    ['https://github.com/acme/shop', ['forge = "github"'], 'forge_token is missing'],
    ['/srv/shop.git', [TOKEN, 'forge = "github"'], 'forge_project'],
    ['/srv/shop.git', [TOKEN, 'forge = "github"', 'forge_project = "a/b"'], 'forge_url'],
    ['https://github.com/a/b/c', [TOKEN], 'is no project of GitHub'],
    ['https://github.com/a/b', [TOKEN, 'forge = "gitea"'], '"rigs.shop.forge" is not valid'],
    ['https://github.com/a/b', ['forge_token = "ghp_abc"'], '"rigs.shop.forge_token" is not valid'],
    ['https://github.com/a/b', [TOKEN, 'forge_url = "http://api.acme.org"'], '"rigs.shop.forge_url" is not valid'],
    ['https://github.com/a/b', [TOKEN, 'forge_project = "../x"'], '"rigs.shop.forge_project" is not valid'],
    ['https://github.com/a/b', [TOKEN, 'forge_tokn = "env:A"'], 'no setting "rigs.shop.forge_tokn"'],
  ])('says what is missing or wrong: %s %j', (url, lines, words) => {
    expect(refusal(url, ...lines)).toContain(words);
  });

  it('takes http only on this machine, where nobody listens', () => {
    const local = [TOKEN, 'forge = "github"', 'forge_project = "a/b"'];
    expect(site('/srv/shop.git', ...local, 'forge_url = "http://127.0.0.1:4000"')?.apiUrl).toBe(
      'http://127.0.0.1:4000',
    );
  });
});
