import { describe, expect, it } from 'vitest';
import { SECRET_RULES } from './rules.ts';
import { isAllowed } from './scan.ts';

const of = (text: string, times: number): string => text.repeat(times).slice(0, times);
const hits = (line: string): readonly string[] =>
  SECRET_RULES.filter(({ pattern }) => pattern.test(line)).map(({ name }) => name);

/** Made here piece by piece, so that no searcher finds a key in this file. */
const SAMPLES: Readonly<Record<string, string>> = {
  'private-key': `${of('-', 5)}BEGIN RSA ${'PRIVATE'} KEY${of('-', 5)}`,
  'age-secret-key': `AGE-SECRET${'-KEY-1'}${of('Q3Z', 58)}`,
  'aws-access-key': `AKIA${of('Q2R7', 16)}`,
  'anthropic-key': `sk-ant-api03-${of('aB3_', 95)}`,
  'openai-key': `sk-proj-${of('aB3_', 60)}`,
  'github-token': `ghp_${of('aB3', 36)}`,
  'gitlab-token': `glpat-${of('aB3', 20)}`,
  'google-api-key': `AIza${of('aB3', 35)}`,
  'google-client-secret': `GOCSPX-${of('aB3', 28)}`,
  'slack-token': `xoxb-${of('123', 12)}-${of('aB3', 24)}`,
  'slack-webhook': `https://hooks.slack.com/services/T${of('A1', 9)}/B${of('A1', 9)}/${of('aB3', 24)}`,
  'stripe-key': `sk_live_${of('aB3', 24)}`,
  'npm-token': `npm_${of('aB3', 36)}`,
  'pypi-token': `pypi-AgEIcHlwaS5vcmc${of('aB3', 60)}`,
  'docker-token': `dckr_pat_${of('aB3', 27)}`,
  'huggingface-token': `hf_${of('aBc', 34)}`,
  'sendgrid-key': `SG.${of('aB3', 22)}.${of('aB3', 43)}`,
  'digitalocean-token': `dop_v1_${of('a3', 64)}`,
  'shopify-token': `shpat_${of('a3', 32)}`,
  'telegram-bot-token': `${of('12', 9)}:AA${of('aB3', 33)}`,
  'vault-token': `hvs.${of('aB3', 24)}`,
  'azure-storage-key': `AccountKey=${of('aB3', 86)}==`,
};

describe('rules for keys', () => {
  it('have each a sample, and no two a name', () => {
    expect(SECRET_RULES.map(({ name }) => name).toSorted()).toEqual(Object.keys(SAMPLES).toSorted());
    expect(SECRET_RULES.every(({ source }) => source !== '')).toBe(true);
  });

  it.each(Object.entries(SAMPLES))('%s is found wherever it stands in a line, and once', (name, sample) => {
    for (const line of [sample, `key = "${sample}"`, `  ${sample} # comment`, `URL=${sample}`])
      expect(hits(line)).toEqual([name]);
  });

  it.each([
    ['a commit id', of('0123456789abcdef', 40)],
    ['a sha256', `sha256-${of('aB3/', 43)}=`],
    ['a UUID', '3f2504e0-4f89-11d3-9a0c-0305e82c3301'],
    ['a lock file', `"integrity": "sha512-${of('aB3+', 86)}=="`],
    ['a public key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ0 me@host'],
    ['a certificate', '-----BEGIN CERTIFICATE-----'],
    ['a public key in its frame', '-----BEGIN PUBLIC KEY-----'],
    ['a placeholder', 'OPENAI_API_KEY=sk-your-key-here GITHUB_TOKEN=ghp_xxx AWS=AKIAEXAMPLE'],
    ['a test key of Stripe', `sk_test_${of('aB3', 24)}`],
    ['prose', 'The npm_config_registry and the hf_hub names, sk-learn and xoxb- tokens are described in docs.'],
    ['a variable', 'const token = process.env.GITHUB_TOKEN;'],
  ])('leave %s alone', (_what, line) => {
    expect(hits(line)).toEqual([]);
  });

  it('read a line of ten thousand characters in no time, whatever is in it', () => {
    const started = performance.now();
    for (const text of ['sk-', 'A', 'AKIA', 'glpat-', '-----BEGIN ', 'xoxb-1', 'SG.a.', 'a1:AA', 'AccountKey=A'])
      hits(text.repeat(10_000).slice(0, 10_000));
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('what is allowed', () => {
  const found = { rule: 'private-key', path: 'test/keys/a.pem', mark: '0123456789ab' };

  it.each([['test/keys/a.pem'], ['test/keys/'], ['test/'], ['rule:private-key'], ['0123456789ab']])('%s', (entry) => {
    expect(isAllowed([entry], found)).toBe(true);
  });

  it.each([['test/keys'], ['keys/'], ['a.pem'], ['rule:private'], ['0123456789'], ['/'], ['']])('not %s', (entry) => {
    expect(isAllowed([entry], found)).toBe(false);
  });
});
