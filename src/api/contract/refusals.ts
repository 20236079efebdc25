/**
 * Codes by which a town says that what was sent is wrong in itself, so that sending it again changes nothing. A status
 * says too little: a town that is held, a proxy, or an address that moved answers with some of the same numbers.
 */
export const CONTENT_CODES: ReadonlySet<string> = new Set([
  'bad_field',
  'bad_json',
  'body_too_large',
  'too_deep',
  'unknown_field',
]);
