import { describe, expect, it } from 'vitest';
import { DIFF_LINE_CHARS_MAX, parseDiff, parseDiffList, sectionsOf } from './diff.ts';

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
    expect(parseDiffList([...raw, ''].join('\0'), [...numbers, ''].join('\0'))).toEqual([
      { path: 'a\tb\nc', oldPath: null, status: 'M', added: 3, removed: 1 },
      { path: 'new', oldPath: 'old', status: 'R', added: 0, removed: 0 },
      { path: 'pic', oldPath: null, status: 'A', added: null, removed: null },
    ]);
    expect(parseDiffList('', '')).toEqual([]);
  });

  it('has what was copied with both its names', () => {
    const raw = [':100644 100644 1 1 C90', 'old', 'new', ''].join('\0');
    expect(parseDiffList(raw, ['2\t0\t', 'old', 'new', ''].join('\0'))).toEqual([
      { path: 'new', oldPath: 'old', status: 'C', added: 2, removed: 0 },
    ]);
  });

  it.each(['R100', 'C90'])('has what stands behind %s under its own letter', (moved) => {
    const raw = [`:100644 100644 1 1 ${moved}`, 'old', 'new', ':100644 000000 1 0 D', 'gone', ''].join('\0');
    expect(parseDiffList(raw, ['0\t0\t', 'old', 'new', '0\t4\tgone', ''].join('\0'))).toMatchObject([
      { path: 'new', oldPath: 'old' },
      { path: 'gone', oldPath: null, status: 'D' },
    ]);
  });

  it('that was cut anywhere has only what stands whole in both lists', () => {
    const raw = ':100644 100644 1 2 M\0a\0:100644 100644 1 1 R100\0old\0new\0';
    const numbers = '3\t1\ta\x000\t0\t\0old\0new\0';
    const names = (letters: string, counts: string): readonly string[] =>
      parseDiffList(letters, counts).map(({ path }) => path);
    expect(names(raw, numbers)).toEqual(['a', 'new']);
    for (const [cut, whole] of [
      ['', []],
      ['3\t1', []],
      ['3\t1\ta', []],
      ['3\t1\ta\0', ['a']],
      ['3\t1\ta\x000\t0\t\0', ['a']],
      ['3\t1\ta\x000\t0\t\0old\0', ['a']],
      ['3\t1\ta\x000\t0\t\0old\0new', ['a']],
    ] as const)
      expect(names(raw, cut)).toEqual(whole);
    // A letter that is there names nothing by itself; one that is not there hides what is counted.
    expect(names(':100644 100644 1 2 M\0a\0', numbers)).toEqual(['a']);
    expect(names('', numbers)).toEqual([]);
  });
});

describe('what is shown of each file', () => {
  const change = (name: string, line: string): string =>
    `diff --git a/${name} b/${name}\n--- a/${name}\n+++ b/${name}\n@@ -1 +1 @@\n${line}\n`;
  const linesOf = (text: string, isCut = false): readonly unknown[] =>
    sectionsOf([{ status: 'M' }, { status: 'T' }, { status: 'M' }], text, isCut).map((section) =>
      section === null ? null : [section.cut, section.hunks.flatMap(({ lines }) => lines.map((line) => line.text))],
    );

  it('is its own, also behind a file that became a link, which git shows twice', () => {
    const text = `${change('a', '+a')}${change('t', '-old')}${change('t', '+link')}${change('z', '+z')}`;
    expect(linesOf(text)).toEqual([
      [false, ['a']],
      [false, ['old', 'link']],
      [false, ['z']],
    ]);
  });

  it('of a file that became another kind is no text as soon as one side is none', () => {
    const binary = 'diff --git a/t b/t\nBinary files a/t and b/t differ\n';
    const isBinary = (text: string, isCut = false): unknown => sectionsOf([{ status: 'T' }], text, isCut)[0]?.binary;
    expect(isBinary(`${change('t', '-old')}${change('t', '+link')}`)).toBe(false);
    expect(isBinary(`${binary}${change('t', '+link')}`)).toBe(true);
    expect(isBinary(`${change('t', '-link')}${binary}`)).toBe(true);
    // What the text does not show any more is not called binary.
    expect(isBinary(change('t', '-old'), true)).toBe(false);
  });

  it('is a part, or nothing, where the text was cut', () => {
    expect(linesOf(`${change('a', '+a')}${change('t', '-old')}`, true)).toEqual([
      [false, ['a']],
      [true, ['old']],
      null,
    ]);
    expect(linesOf(change('a', '+a'), true)).toEqual([[true, ['a']], null, null]);
  });

  it('counts empty lines that lost their mark', () => {
    const [section] = sectionsOf([{ status: 'M' }], `${change('a', ' one')}\n+three\n`, false);
    expect(section?.hunks[0]?.lines.map((line) => line.new)).toEqual([1, 2, 3]);
  });
});
