import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LogTail } from './log-tail.ts';

const folder = mkdtempSync(join(tmpdir(), 'gt-tail-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the tail of a log', () => {
  it.each([
    ['nothing', '', null],
    ['only ends of lines', '\n \n', null],
    ['a line', 'first\nlast words\n', 'last words'],
    ['a line of our log', '{"level":"error","text":"no socket","error":"EACCES"}\n', 'no socket: EACCES'],
    ['one without an error', '{"level":"info","text":"bye"}', 'bye'],
    ['JSON that is no log', '{"a":1}\n', '{"a":1}'],
    ['more than is read', `${'x'.repeat(50_000)}\nend\n`, 'end'],
  ])('is what was written since then: %s', (name, text, line) => {
    const path = join(folder, name);
    writeFileSync(path, 'of a start before\n');
    const tail = new LogTail(path);
    appendFileSync(path, text);
    expect(tail.lastLine()).toBe(line);
  });

  it('of a file that does not exist says nothing', () => {
    expect(new LogTail(join(folder, 'none')).lastLine()).toBeNull();
  });
});
