import { describe, expect, it } from 'vitest';
import { DIFF_LINE_CHARS_MAX, parseDiff, parseDiffList } from './diff.ts';

const TEXT = `diff --git a/one.txt b/one.txt
index 1111111..2222222 100644
--- a/one.txt
+++ b/one.txt
@@ -1,3 +1,4 @@ function one() {
 first
-second
+2nd
+--- a/fake.txt
 third
\\ No newline at end of file
@@ -10 +11 @@
-ten
+diff --git a/fake b/fake
diff --git a/pic.png b/pic.png
new file mode 100644
index 0000000..3333333
Binary files /dev/null and b/pic.png differ
`;

describe('a diff', () => {
  it('is hunks of numbered lines; a line that looks like a header of git is a line', () => {
    const [one, pic, ...more] = parseDiff(TEXT, false);
    expect(more).toEqual([]);
    expect(one?.hunks).toEqual([
      {
        header: 'function one() {',
        lines: [
          { kind: 'same', old: 1, new: 1, text: 'first' },
          { kind: 'removed', old: 2, new: null, text: 'second' },
          { kind: 'added', old: null, new: 2, text: '2nd' },
          { kind: 'added', old: null, new: 3, text: '--- a/fake.txt' },
          { kind: 'same', old: 3, new: 4, text: 'third' },
        ],
      },
      {
        header: '',
        lines: [
          { kind: 'removed', old: 10, new: null, text: 'ten' },
          { kind: 'added', old: null, new: 11, text: 'diff --git a/fake b/fake' },
        ],
      },
    ]);
    expect(pic).toEqual({ binary: true, cut: false, hunks: [] });
    expect(one).toMatchObject({ binary: false, cut: false });
  });

  it('of what is no text is known by the words of git, and not by those of a file', () => {
    const of = (line: string): boolean | undefined => parseDiff(`diff --git a/x b/x\n${line}\n`, false)[0]?.binary;
    expect(of('Binary files a/x and b/x differ')).toBe(true);
    expect(of('GIT binary patch')).toBe(true);
    expect(of('old mode 100644')).toBe(false);
    expect(of('@@ -1 +1 @@\n-Binary files are fun')).toBe(false);
  });

  it('that was cut says so of its last file, and shows no half line', () => {
    const [one, pic] = parseDiff(TEXT.slice(0, TEXT.indexOf('2nd') + 1), true);
    expect(pic).toBeUndefined();
    expect(one?.cut).toBe(true);
    expect(one?.hunks[0]?.lines.map((line) => line.text)).toEqual(['first', 'second']);
    expect(parseDiff(TEXT, true).map(({ cut }) => cut)).toEqual([false, true]);
    expect(parseDiff('', true)).toEqual([]);
  });

  it('shows so much of a line as anybody reads', () => {
    const [one] = parseDiff(`diff --git a/x b/x\n@@ -0,0 +1 @@\n+${'x'.repeat(DIFF_LINE_CHARS_MAX + 1)}\n`, false);
    expect(one?.hunks[0]?.lines[0]?.text).toBe(`${'x'.repeat(DIFF_LINE_CHARS_MAX)} … (line cut)`);
    const whole = 'x'.repeat(DIFF_LINE_CHARS_MAX);
    const [other] = parseDiff(`diff --git a/x b/x\n@@ -0,0 +1 @@\n+${whole}\n`, false);
    expect(other?.hunks[0]?.lines[0]?.text).toBe(whole);
  });
});

describe('the list of a diff', () => {
  it('has names as they are, also with newlines and tabs, both names of what moved, and no count for what is no text', () => {
    const raw = [
      ':100644 100644 1 2 M',
      'a\tb\nc',
      ':100644 100644 1 1 R100',
      'old',
      'new',
      ':000000 100644 0 3 A',
      'pic',
    ];
    const numbers = ['3\t1\ta\tb\nc', '0\t0\t', 'old', 'new', '-\t-\tpic'];
    expect(parseDiffList([...raw, ...numbers, ''].join('\0'))).toEqual([
      { path: 'a\tb\nc', oldPath: null, status: 'M', added: 3, removed: 1 },
      { path: 'new', oldPath: 'old', status: 'R', added: 0, removed: 0 },
      { path: 'pic', oldPath: null, status: 'A', added: null, removed: null },
    ]);
    expect(parseDiffList('')).toEqual([]);
  });

  it('has what was copied with both its names', () => {
    const words = [':100644 100644 1 1 C90', 'old', 'new', '2\t0\t', 'old', 'new', ''];
    expect(parseDiffList(words.join('\0'))).toEqual([
      { path: 'new', oldPath: 'old', status: 'C', added: 2, removed: 0 },
    ]);
  });

  it('that was cut has only what stands there whole', () => {
    const raw = [':100644 100644 1 2 M', 'a', ':100644 100644 1 1 R100', 'old', 'new'];
    const names = (...counts: readonly string[]): readonly string[] =>
      parseDiffList([...raw, ...counts].join('\0')).map(({ path }) => path);
    expect(names()).toEqual([]);
    expect(names('3')).toEqual([]);
    expect(names('3\t1')).toEqual([]);
    expect(names('3\t1\ta')).toEqual(['a']);
    expect(names('3\t1\ta', '0\t0\t')).toEqual(['a']);
    expect(names('3\t1\ta', '0\t0\t', 'old')).toEqual(['a']);
    expect(names('3\t1\ta', '0\t0\t', 'old', 'new')).toEqual(['a', 'new']);
  });
});
