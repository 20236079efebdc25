import { expect, it } from 'vitest';
import { precondition } from '../core/errors.ts';
import { hintMissingRecipe } from './missing-recipe.ts';

const RECIPE = '```gt-script\nmake\n```';
const slung = { id: 'app-7k3qf', rig: 'app', kind: 'task', body: 'Fix the login page.', runtime: null } as const;

async function said(
  over: object,
  its: { readonly rig?: string; readonly json?: boolean; readonly isAway?: boolean } = {},
) {
  const hints: string[] = [];
  let asked = 0;
  const client = {
    get: async <T>(): Promise<T> => {
      asked += 1;
      if (its.isAway === true) throw precondition('daemon_down', 'It does not run.', 'Start it.');
      return JSON.parse(JSON.stringify({ items: [{ id: 'app', runtime: its.rig ?? 'script' }] }));
    },
  };
  const context = { json: its.json ?? false, hint: (text: string) => void hints.push(text) };
  await hintMissingRecipe(context, client, { ...slung, ...over });
  return { hints, asked };
}

it('a slung bead that its runtime can only fail is told at once, with what helps', async () => {
  expect((await said({})).hints).toEqual([
    'The runtime of app is "script", which is no AI: it runs shell that stands in the body of a bead ("gt help script").',
    'app-7k3qf has none and will fail. Give it an agent: gt bead update app-7k3qf --runtime claude, or a recipe: gt bead update app-7k3qf --body-file <file>',
  ]);
  expect((await said({ runtime: 'script' }, { rig: 'claude' })).hints[0]).toBe(
    'The runtime "script" is no AI ("gt help script").',
  );
});

it('any other bead says nothing, and mostly nobody is asked', async () => {
  expect(await said({ body: RECIPE })).toEqual({ hints: [], asked: 0 });
  expect(await said({ runtime: 'claude' })).toEqual({ hints: [], asked: 0 });
  expect(await said({}, { json: true })).toEqual({ hints: [], asked: 0 });
  expect(await said({}, { rig: 'claude' })).toEqual({ hints: [], asked: 1 });
  expect(await said({}, { isAway: true })).toEqual({ hints: [], asked: 1 });
});
