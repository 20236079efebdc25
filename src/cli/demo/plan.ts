/**
 * The convoy of the demo: seven beads over two rigs, with dependencies across them. Each bead is done by a recipe, a
 * shell script in its body that the runtime "script" runs in a worktree of its own. That runtime is not an AI agent;
 * everything around it (dispatch, verification, gates, merging, rework) is the real thing.
 */
interface DemoTask {
  readonly label: string;
  readonly rig: string;
  readonly title: string;
  readonly body: string;
  readonly depends_on: readonly string[];
}

/** Where the two sides look for each other: the state folder of their runner, which is the same for both. */
const MEET_IN = '$GT_TOWN_ROOT/.gastown';
/** The two sides of the conflict wait this long (in tenths of a second) for each other to start. */
const MEET_TENTHS = 200;

const script = (what: string, ...lines: readonly string[]): string =>
  `${what}\n\n\`\`\`gt-script\n${lines.join('\n')}\n\`\`\`\n`;

/** Writes `lines` to a file by a here-document, so that the recipe is readable in the bead. */
const write = (file: string, ...lines: readonly string[]): string => `cat > ${file} <<'END'\n${lines.join('\n')}\nEND`;

function operation(name: string, expression: string, example: string): readonly string[] {
  return [
    write(`src/${name}.js`, `export function ${name}(a, b) {`, `  return ${expression};`, '}'),
    write(
      `test/${name}.test.js`,
      `import assert from 'node:assert/strict';`,
      `import { test } from 'node:test';`,
      `import { ${name} } from '../src/index.js';`,
      '',
      `test('${name}', () => {`,
      `  ${example}`,
      '});',
    ),
    `echo "export { ${name} } from './${name}.js';" >> src/index.js`,
    `git add -A && git commit -qm "Add ${name}()"`,
  ];
}

/** Makes both sides of the conflict start from the same commit on any machine: neither goes on before the other runs. */
const meet = (own: string, other: string): string =>
  `touch "${MEET_IN}/demo-${own}"; i=0; until [ -e "${MEET_IN}/demo-${other}" ] || [ $i -ge ${String(MEET_TENTHS)} ]; do sleep 0.1; i=$((i+1)); done`;

/** On the conflict bead the recipe merges the target and keeps both sides: each added one line at the same place. */
const resolve = [
  'if [ "$GT_KIND" = conflict ]; then',
  '  git merge --no-commit "$GT_TARGET_SHA" || true',
  '  sed -e "/^<<<<<<< /d" -e "/^=======\\$/d" -e "/^>>>>>>> /d" src/index.js > merged.tmp && mv merged.tmp src/index.js',
  '  git add -A && git commit -qm "Merge the target, keep both operations"',
  '  exit 0',
  'fi',
];

const DEMO_TASKS: readonly DemoTask[] = [
  {
    label: 'subtract',
    rig: 'calc',
    title: 'Add subtract()',
    body: script(
      'Subtraction, exported and tested.',
      ...resolve,
      meet('subtract', 'multiply'),
      ...operation('subtract', 'a - b', 'assert.equal(subtract(5, 3), 2);'),
    ),
    depends_on: [],
  },
  {
    label: 'multiply',
    rig: 'calc',
    title: 'Add multiply()',
    body: script(
      'Multiplication. It adds its export at the place where subtract() adds its own: a real conflict.',
      ...resolve,
      meet('multiply', 'subtract'),
      ...operation('multiply', 'a * b', 'assert.equal(multiply(2, 3), 6);'),
    ),
    depends_on: [],
  },
  {
    label: 'divide',
    rig: 'calc',
    title: 'Add divide(), which refuses to divide by zero',
    body: script(
      'The first try forgets the check, so its own test is red on the gate; the rework adds it.',
      'if [ "$GT_ROUND" -ge 1 ]; then',
      `  ${write('src/divide.js', 'export function divide(a, b) {', "  if (b === 0) throw new RangeError('division by zero');", '  return a / b;', '}')}`,
      '  git commit -qam "Refuse to divide by zero"',
      '  exit 0',
      'fi',
      ...operation('divide', 'a / b', 'assert.throws(() => divide(1, 0), RangeError);'),
    ),
    depends_on: ['multiply', 'subtract'],
  },
  {
    label: 'readme',
    rig: 'calc',
    title: 'List the operations in the README',
    body: script(
      'Written from what is exported, so it needs all of them.',
      `{ echo "# calc"; echo; sed -n "s/^export { \\(.*\\) } from.*/- \\1/p" src/index.js; } > README.md`,
      'git add README.md && git commit -qm "List the operations"',
    ),
    depends_on: ['divide'],
  },
  {
    label: 'style',
    rig: 'site',
    title: 'Give the page a style sheet',
    body: script(
      'Independent of everything else.',
      `echo "main { font: 1.2rem monospace; }" > style.css`,
      `sed -e 's|<main>|<link rel="stylesheet" href="style.css">\\n<main>|' page.html > page.tmp && mv page.tmp page.html`,
      'git add -A && git commit -qm "Add a style sheet"',
    ),
    depends_on: [],
  },
  {
    label: 'page',
    rig: 'site',
    title: 'Show the operations on the page',
    body: script(
      'Waits for both operations in the other rig.',
      `sed -e 's|</main>|<p>add subtract multiply</p>\\n</main>|' page.html > page.tmp && mv page.tmp page.html`,
      'git commit -qam "Show add, subtract and multiply"',
    ),
    depends_on: ['subtract', 'multiply', 'style'],
  },
  {
    label: 'page-divide',
    rig: 'site',
    title: 'Show division on the page',
    body: script(
      'Waits for the rework in the other rig.',
      `sed -e 's|multiply</p>|multiply divide</p>|' page.html > page.tmp && mv page.tmp page.html`,
      'git commit -qam "Show divide"',
    ),
    depends_on: ['page', 'divide'],
  },
];

/**
 * The convoy as the API takes it: dependencies by position. `meetIn`: a folder that all runners of the town see, when
 * there are several.
 */
export function demoConvoy(meetIn: string = MEET_IN): { readonly title: string; readonly tasks: readonly unknown[] } {
  const position = new Map(DEMO_TASKS.map((task, index) => [task.label, index]));
  const tasks = DEMO_TASKS.map((task) => ({
    rig: task.rig,
    title: task.title,
    body: task.body.replaceAll(MEET_IN, meetIn),
    depends_on: task.depends_on.map((label) => position.get(label)),
  }));
  return { title: 'Grow the calculator and its page', tasks };
}
