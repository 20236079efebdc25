/** The words for a death, which are each host's own. */

/** How each host says that somebody died who was asked something. */
const DIED: readonly RegExp[] = [
  /The town is stopping and takes no more work\./g,
  /A part of the town does not answer now: [^.]*\./g,
  /The database of [a-z/]+ could not be written: DbError: it died in its turn\. Nothing was changed\./g,
];

/** Without the host's own words for a death. */
export const inOneWord = (line: string): string => DIED.reduce((text, said) => text.replaceAll(said, 'died'), line);
