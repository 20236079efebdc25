import type { Author } from '../../core/facts.ts';

/** Author and committer of a commit that a job makes; the date comes with the job, so that a repeat makes the same commit. */
export function identityOf(job: { readonly author: Author; readonly dateMs: number }): Record<string, string> {
  const date = `${String(Math.floor(job.dateMs / 1_000))} +0000`;
  const fields = { NAME: job.author.name, EMAIL: job.author.email, DATE: date };
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) => [
      [`GIT_AUTHOR_${key}`, value],
      [`GIT_COMMITTER_${key}`, value],
    ]),
  );
}
