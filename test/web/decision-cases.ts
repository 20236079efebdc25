/** What can't be taken back is asked once more, and can be done where the thing is looked at. */
import { deepStrictEqual as equal } from 'node:assert';
import { settled, signedIn, type WebCase, type World } from './page.ts';

async function askedOnce(world: World): Promise<undefined> {
  const { stage } = world;
  const { page, context, complaints } = await signedIn(world);
  const status = async (id: string): Promise<string> =>
    ((await (await stage.call('GET', `beads/${id}`)).json()) as { status: string }).status;
  // In the inbox: a double click, or Enter held down, leaves it as it is.
  await settled(page, '/', stage.url());
  const row = page.locator(`li[data-row]`).filter({ hasText: 'escalation' }).first();
  const no = row.getByRole('button', { name: 'No, leave it' });
  await row.getByRole('button', { name: 'cancel', exact: true }).dblclick();
  await row.getByRole('button', { name: 'It is over' }).waitFor();
  await row.getByRole('button', { name: 'cancel', exact: true }).press('Enter');
  await no.waitFor();
  equal(await row.locator('button:focus').textContent(), 'No, leave it');
  await no.press('Enter');
  await no.waitFor({ state: 'detached' });
  equal(await status(stage.asking), 'in_progress');
  // On the page of a bead whose agent works.
  const id = await stage.bead('Not needed after all', 'sleep 600', true);
  await settled(page, `/beads/${id}`, stage.url());
  await page.getByRole('button', { name: 'Cancel' }).click();
  const sure = page.getByRole('button', { name: 'Yes, cancel it' });
  await sure.waitFor();
  equal((await status(id)) === 'closed', false);
  await sure.click();
  await page.getByLabel('Why').getByText('cancelled').first().waitFor();
  await stage.closed(id);
  equal(complaints, []);
  await context.close();
  return undefined;
}

export const DECISION_CASES: readonly WebCase[] = [
  { name: 'what ends something is asked once, and a bead at work can be cancelled', run: askedOnce },
];
