import { precondition } from '../../core/errors.ts';

const YES = /^(?:y|yes|ok|okay|allow|approve|go)\b/i;
const NO = /^(?:n|no|deny|reject|don't)\b/i;

/** What a person said to an agent that asks whether it may. Errors: `no_answer` when it is neither yes nor no. */
export function readAnswer(words: string): boolean {
  const text = words.trim();
  if (YES.test(text)) return true;
  if (NO.test(text)) return false;
  throw precondition(
    'no_answer',
    'The agent waits for a yes or a no.',
    'Begin your words with "yes" or "no"; what follows a no is told to the agent.',
  );
}
