import { expect, it } from 'vitest';
import { webFile } from './web-files.ts';

it('serves nothing from outside of the built dashboard, and nothing of another kind', async () => {
  const asked = [
    '../../package.json',
    '../../../package.json',
    '..%2fpackage.json',
    '/etc/passwd',
    'index.ts',
    '',
    '..',
  ];
  expect(await Promise.all(asked.map((path) => webFile(path)))).toEqual(asked.map(() => null));
});
