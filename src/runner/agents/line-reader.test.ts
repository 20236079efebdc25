import { expect, it } from 'vitest';

import { LineReader } from './line-reader.ts';

it('drops a line that is too long, says so once, and reads those around it whole', () => {
  const lines: string[] = [];
  const notes: string[] = [];
  const reader = new LineReader({ line: (text) => lines.push(text), tooLong: (note) => notes.push(note) }, 10);
  const bytes = Buffer.from(`één\n${'x'.repeat(35)}\nyes\n\nlast`);
  for (const byte of bytes) reader.push(Buffer.from([byte]));
  reader.push(Buffer.from('\na\nb\n'));
  expect(lines).toEqual(['één', 'yes', '', 'last', 'a', 'b']);
  expect(notes.length).toBe(1);
});
