import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { TRANSCRIPT_BYTES_MAX, TRANSCRIPT_PAGE_BYTES_MAX } from '../limits.ts';
import { readTranscript, Transcript } from './transcript.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gt-transcript-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('a transcript', () => {
  it('is cut at its limit, once and with a mark, and still knows its last line', async () => {
    const path = join(folder, 'a.log');
    const transcript = new Transcript(path, { now: () => 42 });
    expect(transcript.lastOutputAtMs).toBeNull();
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    for (let size = 0; size < TRANSCRIPT_BYTES_MAX + 3 * chunk.length; size += chunk.length) transcript.write(chunk);
    transcript.write(Buffer.from('\nthe end\n'));
    await transcript.close();
    expect(statSync(path).size).toBeLessThan(TRANSCRIPT_BYTES_MAX + 100);
    expect(transcript.lastLine).toBe('the end');
    expect(transcript.lastOutputAtMs).toBe(42);
    const end = await readTranscript(path, TRANSCRIPT_BYTES_MAX);
    expect(end.text.toString()).toMatch(/^\n\[transcript cut/);
  });

  it('is read in pages that never cut a character', async () => {
    const path = join(folder, 'b.log');
    const transcript = new Transcript(path, { now: () => 1 });
    const text = `x${'żó€😀'.repeat(TRANSCRIPT_PAGE_BYTES_MAX / 8)}`;
    transcript.write(Buffer.from(text));
    await transcript.close();
    let read = '';
    let from = 0;
    for (;;) {
      const page = await readTranscript(path, from);
      if (page.text.length === 0) break;
      read += page.text.toString('utf8');
      from = page.next;
    }
    expect(read === text).toBe(true);
    expect((await readTranscript(join(folder, 'none.log'), 5)).next).toBe(5);
  });

  it('is read as long as it is kept, whatever bytes a program printed', async () => {
    const path = join(folder, 'odd.log');
    const transcript = new Transcript(path, { now: () => 1 });
    const odd = Buffer.from([0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82, 0x0a, 0xef, 0xbf, 0xbd, 0xed, 0xa0, 0x80, 0xc3]);
    transcript.write(odd);
    await transcript.close();
    const { text, next } = await readTranscript(path, 0);
    expect([text.toString('utf8'), text.length, next]).toEqual(['a??(??\n\ufffd????', odd.length, odd.length]);
  });
});
