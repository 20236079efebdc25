/** What one look found: what, why it matters, and one command or sentence to mend it. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'problem' | 'note';
  readonly what: string;
  readonly why: string | null;
  /** One command, or one sentence. Never one that destroys anything. */
  readonly fix: string | null;
  /** What `--fix` may do by itself: nothing that loses or changes what somebody wrote. Not part of the answer. */
  readonly mend?: () => void;
}

interface Found {
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  readonly mend?: () => void;
}

export const ok = (name: string, what: string): Check => ({ name, status: 'ok', what, why: null, fix: null });
export const problem = (name: string, found: Found): Check => ({ name, status: 'problem', ...found });
/** Worth knowing, and nothing is wrong. */
export const note = (name: string, found: Found): Check => ({ name, status: 'note', ...found });
