import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkBans, checkCasts, checkSize, countLooseCasts } from './tidy/bans.ts';
import { checkInvariantNames, checkOutside, checkPaths } from './tidy/docs.ts';
import { checkLaw, LAW, referencesOf } from './tidy/law.ts';
import { checkPackages } from './tidy/packages.ts';
import { readTree, root } from './tidy/tree.ts';

/** Casts in runner, api, hosts and cli together. Lower it when they get fewer; never raise it. */
const LOOSE_CASTS_MAX = 20;

const files = readTree();
const sourceOf = (path: string): string | null => files.find((file) => file.path === path)?.source ?? null;

describe('the tree is tidy', () => {
  it('imports go downward only', () => {
    expect(files.flatMap(checkLaw)).toEqual([]);
  });

  it.each(Object.keys(LAW))('%s/tsconfig.json refers to what the law allows', (layer) => {
    const path = `src/${layer}/tsconfig.json`;
    const source = sourceOf(path);
    const present = files.some((file) => file.path.startsWith(`src/${layer}/`));
    expect(source !== null || !present, `${path} is missing`).toBe(true);
    if (source !== null) expect(referencesOf(path, source).toSorted()).toEqual(LAW[layer]?.may.toSorted());
  });

  it('nothing banned is used', () => {
    expect(files.flatMap(checkBans)).toEqual([]);
  });

  it('casts stay in the parsers', () => {
    expect(files.flatMap(checkCasts)).toEqual([]);
    expect(countLooseCasts(files)).toBeLessThanOrEqual(LOOSE_CASTS_MAX);
  });

  it('files are short', () => {
    expect(files.flatMap(checkSize)).toEqual([]);
  });

  it('documents name only what exists', () => {
    const list = sourceOf('docs/invariants.md');
    expect(files.flatMap((file) => checkPaths(file, (path) => existsSync(join(root, path))))).toEqual([]);
    expect(files.flatMap((file) => checkInvariantNames(file, list))).toEqual([]);
  });

  it('every invariant that is checked is in the list of invariants', () => {
    const checked = [...(sourceOf('src/core/invariants.ts') ?? '').matchAll(/code: '(I\d+)'/g)].map(
      (match) => match[1],
    );
    const listed = new Set((sourceOf('docs/invariants.md') ?? '').match(/^\| I\d+ /gm)?.map((row) => row.slice(2, -1)));
    expect(checked.length).toBeGreaterThan(0);
    expect(checked.filter((code) => !listed.has(code ?? ''))).toEqual([]);
  });

  it('nothing points outside of the repository', () => {
    expect(files.flatMap(checkOutside)).toEqual([]);
  });

  it('dependencies are exact, and none of the runtime runs a script when installed', () => {
    expect(checkPackages(sourceOf('package.json') ?? '{}', sourceOf('package-lock.json') ?? '{}')).toEqual([]);
  });
});
