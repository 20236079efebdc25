import { usage } from '../core/errors.ts';

/** More versions than anybody means at once. */
const HEADER_CHARS_MAX = 1_000;
const TAGS = /^\s*(?:\*|"[\x21\x23-\x7e]{1,100}"(?:\s*,\s*"[\x21\x23-\x7e]{1,100}")*)\s*$/;

/** What the header means. Errors: `bad_if_match`. */
export function parseIfMatch(header: string | undefined): readonly string[] | undefined {
  if (header === undefined) return undefined;
  if (header.length > HEADER_CHARS_MAX || !TAGS.test(header))
    throw usage(
      'bad_if_match',
      'The header If-Match holds no ETag.',
      'Send the ETag of the answer that you read, with its quotes, or * for any version.',
      'If-Match',
    );
  return header.split(',').map((tag) => tag.trim().replaceAll('"', ''));
}
