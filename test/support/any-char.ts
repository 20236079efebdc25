import fc from 'fast-check';

/**
 * Any character of Unicode, ASCII as often as all others. Apart from the library's own units, which take seconds of a busy
 * machine to set up.
 */
export const anyChar: fc.Arbitrary<string> = fc
  .oneof(
    fc.integer({ max: 0x7f, min: 0 }),
    fc.integer({ max: 0xd7ff, min: 0x80 }),
    fc.integer({ max: 0x10ffff, min: 0xe000 }),
  )
  .map((code) => String.fromCodePoint(code));
