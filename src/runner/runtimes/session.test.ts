import { expect, it } from 'vitest';

import { failureOf } from './session.ts';

it.each([
  // As Qwen Code and Kilo say it of a stream that no parser takes; they do not ask again.
  ['Internal error {"details":"Unterminated string in JSON at position 24 (line 1 column 25)"}', 'provider'],
  [
    'Internal error: JSON parsing failed: Text: {"type". Error message: JSON Parse error: Unterminated string',
    'provider',
  ],
  ['Unexpected end of JSON input', 'provider'],
  ['terminated', 'provider'],
  ['Internal error {"details":"401 invalid x-api-key"}', 'login'],
  ['Rate limit reached.', 'limit'],
  ['The tool wrote no file.', 'other'],
])('takes %j for %s', (message, kind) => {
  expect(failureOf(message)).toEqual({ kind, message, resetsAtMs: null });
});
