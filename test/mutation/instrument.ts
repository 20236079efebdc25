/** All changes of a set of files, built into one text of each: a switch at run time chooses which of them is in force. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const here = import.meta.dirname;

/** Lines and columns count from 0. */
interface Point {
  readonly line: number;
  readonly column: number;
}

export interface Change {
  readonly id: string;
  readonly fileName: string;
  readonly mutatorName: string;
  readonly replacement: string;
  readonly location: { readonly start: Point; readonly end: Point };
  readonly status?: string | undefined;
}

export interface Instrumented {
  readonly files: readonly { readonly name: string; readonly content: string }[];
  readonly mutants: readonly Change[];
}

/** The part of the mutation tester that is used; it is a package of this folder, so its types may not be there. */
interface Tester {
  readonly Instrumenter: new (log: Readonly<Record<string, () => void>>) => {
    instrument(
      files: readonly { readonly name: string; readonly mutate: boolean; readonly content: string }[],
      options: {
        readonly plugins: null;
        readonly excludedMutations: readonly string[];
        readonly ignorers: readonly [];
      },
    ): Promise<Instrumented>;
  };
}

const quiet = (): void => undefined;
const LOG = { debug: quiet, info: quiet, warn: quiet, error: quiet, trace: quiet, fatal: quiet, isDebugEnabled: quiet };

/** `files` are paths from the root. */
export async function instrument(root: string, files: readonly string[]): Promise<Instrumented> {
  const entry = join(here, 'node_modules', '@stryker-mutator', 'instrumenter', 'dist', 'src', 'index.js');
  const tester: Tester = await import(pathToFileURL(entry).href);
  const texts = files.map((file) => ({ name: file, mutate: true, content: readFileSync(join(root, file), 'utf8') }));
  return await new tester.Instrumenter(LOG).instrument(texts, { plugins: null, excludedMutations: [], ignorers: [] });
}
