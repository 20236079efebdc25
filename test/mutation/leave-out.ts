/**
 * Changes that no operator makes and no type notices: each element of each list of several is left out once. What a rule
 * decides is mostly such lists of actions.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Change, Instrumented } from './instrument.ts';

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly loc: Change['location'];
}
interface Text {
  readonly name: string;
  readonly text: string;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
const nodesIn = (value: unknown): readonly Node[] => [value].flat().filter(isNode);
const childrenOf = (node: Node): readonly Node[] => Object.values(node).flatMap(nodesIn);

/** `as const`: its elements are types, and the compiler notices one that is missing. */
const isConst = (node: Node, text: string): boolean =>
  node.type === 'TSAsExpression' && text.slice(node.start, node.end).endsWith('as const');

function elementsIn(node: Node, text: string): readonly Node[] {
  if (isConst(node, text)) return [];
  const own = node.type === 'ArrayExpression' ? nodesIn(Reflect.get(node, 'elements')) : [];
  return [...(own.length > 1 ? own : []), ...childrenOf(node).flatMap((child) => elementsIn(child, text))];
}

/** Asks the switch, as the code of the mutation tester does: which test reaches it, and whether it is in force now. */
const ASK = `
function leftOut(id) {
  const control = globalThis.__stryker__;
  const reached = (control.mutantCoverage ??= { static: {}, perTest: {} });
  const test = control.currentTestId;
  const counts = test === undefined ? reached.static : (reached.perTest[test] ??= {});
  counts[id] = (counts[id] ?? 0) + 1;
  return control.activeMutant === id;
}
`;

/** `files` are paths from the root. */
export function leaveOut(root: string, files: readonly string[]): Instrumented {
  const tester = join(root, 'test/mutation/node_modules/@stryker-mutator/instrumenter/package.json');
  const { parse }: { parse: (text: string, options: object) => Node } = createRequire(tester)('@babel/parser');
  const texts = files.map((name): Text => ({ name, text: readFileSync(join(root, name), 'utf8') }));
  const changes: Change[] = [];
  const switched = texts.map(({ name, text }) => {
    const inserts: { readonly at: number; readonly text: string }[] = [];
    for (const element of elementsIn(parse(text, { sourceType: 'module', plugins: ['typescript'] }), text)) {
      const id = `left-out-${String(changes.length)}`;
      const replacement = `without ${text.slice(element.start, element.end)}`;
      // Lines count from 0 here.
      const { start, end } = element.loc;
      const location = { start: { ...start, line: start.line - 1 }, end: { ...end, line: end.line - 1 } };
      changes.push({ id, fileName: name, mutatorName: 'LeftOut', replacement, location });
      inserts.push({ at: element.start, text: `...(leftOut('${id}') ? [] : [` }, { at: element.end, text: '])' });
    }
    return { name, content: `${withInserts(text, inserts)}${ASK}` };
  });
  return { files: switched, mutants: changes };
}

/** At one place stands at most one: between two elements is a comma, between one and what is in it a bracket. */
function withInserts(text: string, inserts: readonly { readonly at: number; readonly text: string }[]): string {
  let out = '';
  let at = 0;
  for (const insert of inserts.toSorted((a, b) => a.at - b.at)) {
    out += text.slice(at, insert.at) + insert.text;
    at = insert.at;
  }
  return out + text.slice(at);
}
