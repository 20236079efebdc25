/** A source with its comments, or its comments and texts, replaced by spaces: offsets and lines stay the same. */
export interface Scanned {
  /** No comments, no contents of strings, templates or regular expressions. */
  readonly code: string;
  /** No comments. */
  readonly text: string;
}

type Kind = 'code' | 'literal' | 'comment';

interface Span {
  readonly kind: Kind;
  readonly end: number;
}

const blank = (part: string): string => part.replaceAll(/[^\n]/g, ' ');

/** A `/` begins a regular expression where no value can have ended just before it. */
function beginsRegex(codeBefore: string): boolean {
  const before = codeBefore.slice(-200).trimEnd();
  return (
    before === '' || /[(,=:[!&|?{};+\-*%~^<>]$/.test(before) || /\b(?:return|typeof|case|in|of|void)$/.test(before)
  );
}

function matchEnd(pattern: RegExp, source: string, at: number): number {
  const sticky = new RegExp(pattern.source, 'ys');
  sticky.lastIndex = at;
  return sticky.test(source) ? sticky.lastIndex : at + 1;
}

const LINE_COMMENT = /\/\/[^\n]*/;
const BLOCK_COMMENT = /\/\*.*?(?:\*\/|$)/;
const STRING = /(['"])(?:\\.|(?!\1)[^\\\n])*(?:\1|(?=\n)|$)/;
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/;
/** From a backquote, or from the brace that ends a placeholder, up to the next placeholder or the end. */
const TEMPLATE_PART = /[`}](?:\\.|(?!\$\{)[^\\`])*(?:`|\$\{|$)/;

function spanAt(source: string, at: number, codeBefore: string): Span {
  const here = source.slice(at, at + 2);
  if (here === '//') return { kind: 'comment', end: matchEnd(LINE_COMMENT, source, at) };
  if (here === '/*') return { kind: 'comment', end: matchEnd(BLOCK_COMMENT, source, at) };
  const first = here.charAt(0);
  if (first === "'" || first === '"') return { kind: 'literal', end: matchEnd(STRING, source, at) };
  if (first === '/' && beginsRegex(codeBefore)) return { kind: 'literal', end: matchEnd(REGEX, source, at) };
  return { kind: 'code', end: at + 1 };
}

/** Open braces inside each open template placeholder, innermost last. */
class Placeholders {
  readonly #depths: number[] = [];

  /** Whether a template part begins here. */
  begins(char: string): boolean {
    const inner = this.#depths.at(-1);
    if (char === '`') return true;
    if (inner === undefined) return false;
    if (char === '{') this.#depths[this.#depths.length - 1] = inner + 1;
    if (char !== '}') return false;
    if (inner > 0) {
      this.#depths[this.#depths.length - 1] = inner - 1;
      return false;
    }
    this.#depths.pop();
    return true;
  }

  ended(part: string): void {
    if (part.endsWith('${')) this.#depths.push(0);
  }
}

export function scan(source: string): Scanned {
  const placeholders = new Placeholders();
  let code = '';
  let text = '';
  let at = 0;
  while (at < source.length) {
    const template = placeholders.begins(source.charAt(at));
    const span: Span = template
      ? { kind: 'literal', end: matchEnd(TEMPLATE_PART, source, at) }
      : spanAt(source, at, code);
    const part = source.slice(at, span.end);
    if (template) placeholders.ended(part);
    code += span.kind === 'code' ? part : span.kind === 'literal' ? quoted(part) : blank(part);
    text += span.kind === 'comment' ? blank(part) : part;
    at = span.end;
  }
  return { code, text };
}

/** Keeps the outer characters, so that a value is still seen to be there. */
function quoted(part: string): string {
  return part.length < 2 ? part : part.charAt(0) + blank(part.slice(1, -1)) + part.slice(-1);
}
