import { describe, expect, it } from 'vitest';

import { pathSegment } from '../paths.ts';
import { checkRef, checkUrl } from './names.ts';

describe('names from outside', () => {
  it('pass when git takes them', () => {
    for (const url of ['/srv/x.git', 'https://h/x', 'ssh://u@h/x', 'git@host:o/r.git', 'file:///x', 'host:path'])
      expect(checkUrl(url)).toBe(url);
    expect(checkRef('refs/gt/attempts/app-1/2')).toBe('refs/gt/attempts/app-1/2');
  });

  it('are refused when they are options, paths, helpers or broken', () => {
    for (const url of [
      '',
      '-x',
      '--upload-pack=touch x',
      'ext::sh -c x',
      'fd::3',
      'relative/path',
      'https://h/\n',
      '/x\u0000',
    ]) {
      expect(() => checkUrl(url), JSON.stringify(url)).toThrow(/not a repository address/);
    }
    for (const ref of ['refs/heads/main', 'refs/gt/../heads/main', 'HEAD', '-x'])
      expect(() => checkRef(ref)).toThrow(/not a ref/);
    for (const part of ['', '.', '..', 'a/b', '../x', '-x', 'a b', 'a\u0000', 'x'.repeat(101)])
      expect(() => pathSegment(part, 'a rig')).toThrow(/can't be the name/);
  });
});
