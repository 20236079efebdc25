/** What programs and agents wrote, made fit to stand inside a sentence for people. */
import { inert } from './text.ts';

/** A sentence longer than this is not read; the whole text is in the transcript. */
const SENTENCE_CHARS_MAX = 400;
/** Fields in which programs say what happened, best first. */
const TEXT_FIELDS = ['message', 'detail', 'error', 'reason', 'text', 'result', 'title'] as const;
/** How deep an error may be wrapped in others: `{"error": {"data": {"message": …}}}`. */
const DEPTH_MAX = 4;

const STACK_LINE = /\s+at (?:async )?(?:[^\s()]+ )?\(?(?:file:|node:|\/|[A-Za-z]:\\)[^\s()]*:\d+(?::\d+)?\)?/g;

/**
 * One line without JSON, without a stack, without control characters, and of a length that people read. Of a JSON
 * object only its message is kept: the object itself is for programs.
 */
export function readableText(text: string): string {
  const line = inert(withoutJson(text.replaceAll(STACK_LINE, '')).replaceAll(/\s+/g, ' ').trim());
  const chars = Array.from(line);
  return chars.length <= SENTENCE_CHARS_MAX ? line : `${chars.slice(0, SENTENCE_CHARS_MAX - 1).join('')}…`;
}

/** Ends with a full stop unless it ends with some other mark. */
export const asSentence = (text: string): string => {
  const line = readableText(text);
  return line === '' || /[.!?…:]$/.test(line) ? line : `${line}.`;
};

function withoutJson(text: string): string {
  const start = text.search(/[{[]\s*["{[]/);
  if (start < 0) return text;
  const end = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']')) + 1;
  const said = messageIn(text.slice(start, end));
  const before = text.slice(0, start);
  // Cut off in the middle, as last lines are: what cannot be read is left out rather than shown.
  const inside = said ?? looseMessage(text.slice(start));
  const after = end > start ? text.slice(end) : '';
  return [before, inside ?? '', after].join(' ');
}

function messageIn(json: string): string | null {
  try {
    return messageOf(JSON.parse(json), DEPTH_MAX);
  } catch {
    return null;
  }
}

function messageOf(value: unknown, depth: number): string | null {
  if (typeof value === 'string') return value;
  if (depth === 0 || typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) return messageOf(value[0], depth - 1);
  const fields = new Map<string, unknown>(Object.entries(value));
  for (const name of TEXT_FIELDS) {
    const found = fields.has(name) ? messageOf(fields.get(name), depth - 1) : null;
    if (found !== null) return found;
  }
  return null;
}

/** The first message of JSON that is not whole. */
function looseMessage(text: string): string | null {
  const match = /"(?:message|detail|error|reason)"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text);
  return match === null ? null : messageIn(`"${match[1] ?? ''}"`);
}
