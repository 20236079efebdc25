/** Several people at one piece of work: edits, and a review line by line. */
import { deepStrictEqual as equal, ok } from 'node:assert';
import { until } from '../e2e/cli-support.ts';
import { settled, signedIn, type WebCase, type World } from './page.ts';
import { HOSTILE } from './stage.ts';

/** Two people at one bead: the second sees what changed, keeps every word, and decides. */
async function twoEditors(world: World): Promise<undefined> {
  const { stage } = world;
  const id = await stage.bead('Before', 'true', false);
  const bead = async (): Promise<{ title: string; body: string; priority: string }> =>
    (await (await stage.call('GET', `beads/${id}`)).json()) as { title: string; body: string; priority: string };
  const [one, two] = [await signedIn(world), await signedIn(world)];
  for (const { page } of [one, two]) {
    await settled(page, `/beads/${id}`, stage.url());
    await page.keyboard.press('e');
    await page.getByLabel('Title').waitFor();
  }
  await one.page.getByLabel('Title').fill('Hers');
  await one.page.getByLabel('Priority').selectOption('high');
  await two.page.getByLabel('Title').fill('His');
  await two.page.getByRole('textbox', { name: 'Text' }).fill('his text');
  await one.page.getByRole('button', { name: 'Save' }).click();
  await one.page.getByRole('heading', { name: 'Hers' }).waitFor();
  // He is told while he still writes, and again with both texts when he sends it.
  await two.page.getByText('Somebody changed title and priority').waitFor();
  await two.page.getByRole('button', { name: 'Save' }).click();
  const meanwhile = two.page.getByRole('alert', { name: 'Changed meanwhile' });
  await meanwhile.getByText('Hers').waitFor();
  await meanwhile.getByText('His').waitFor();
  equal(
    [(await bead()).title, await two.page.getByRole('textbox', { name: 'Text' }).inputValue()],
    ['Hers', 'his text'],
  );
  await two.page.getByRole('button', { name: 'Apply mine on top' }).click();
  await two.page.getByRole('heading', { name: 'His' }).waitFor();
  const { title, body, priority } = await bead();
  equal([title, body, priority], ['His', 'his text', 'high']);
  // What moves a bead without editing it is in nobody's way.
  await two.page.getByRole('button', { name: 'Edit' }).press('Enter');
  await two.page.getByLabel('Title').fill('Last');
  equal((await stage.call('POST', `beads/${id}/update`, { model: 'other' })).status, 200);
  await two.page.getByRole('button', { name: 'Save' }).click();
  await two.page.getByRole('heading', { name: 'Last' }).waitFor();
  await two.context.close();
  await one.context.close();
  equal(
    [...one.complaints, ...two.complaints].filter((text) => !text.includes('412')),
    [],
  );
  return undefined;
}

const LONG_LINES = 3_000;
const LINES_IN_PAGE_MAX = 200;

/** The second session goes on where the first was: it does what it is asked. The first has hostile words, something that is no text, and more lines than a page should hold. */
const WORK = `if [ -f hostile.txt ]; then
  echo kind > hostile.txt
else
  echo '${HOSTILE}' > hostile.txt
  printf 'a\\342\\200\\256b\\n' >> hostile.txt
  printf '\\000\\001' > pic.bin
  seq 1 ${String(LONG_LINES)} > long.txt
fi`;

/** A person reads what an agent did and sends it back, by the keyboard; the agent goes on with the same branch. */
async function lineComments(world: World): Promise<string> {
  const { stage } = world;
  await stage.must('mq', 'pause', 'app', '--reason', 'a person reads first');
  const { page, context, complaints } = await signedIn(world);
  const id = await stage.bead('Read me first', WORK, true);
  const bead = async (): Promise<Reviewed> => (await (await stage.call('GET', `beads/${id}`)).json()) as Reviewed;
  const branch = await until(async () => (await bead()).review?.branch ?? null, 'it is in review');
  await settled(page, `/beads/${id}`, stage.url());
  await page.keyboard.press('d');
  const lines = page.getByRole('region', { name: 'Changed lines' });
  await lines.getByText(HOSTILE).waitFor();
  equal(new URL(page.url()).searchParams.get('changes'), 'true');
  // A mark that turns what follows around is shown, not obeyed.
  await lines.getByText('a\\u{202e}b').waitFor();
  const counts = [await page.locator('[data-diff-line]').count()];
  await page.getByLabel('File').selectOption({ label: 'pic.bin' });
  await lines.getByText('It is no text').waitFor();
  counts.push(await page.locator('[data-diff-line]').count());
  ok(Math.max(...counts) <= LINES_IN_PAGE_MAX, String(counts));
  equal([await page.evaluate(() => 'pwned' in globalThis), await page.locator('img').count()], [false, 0]);
  await page.getByLabel('File').selectOption({ label: 'hostile.txt' });
  await lines.getByText(HOSTILE).waitFor();
  await lines.focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.type('say it kindly');
  await page.keyboard.press('Control+Enter');
  await lines.getByText('say it kindly').waitFor();
  // What was written outlives a page that is left by mistake.
  await page.reload();
  await lines.getByText('say it kindly').waitFor();
  await page.getByLabel('For all of it').fill('Nearly.');
  await page.getByRole('button', { name: 'Request changes (1 at lines)' }).click();
  const [rework] = await until(async () => {
    const { rework_beads: found } = await bead();
    return found.length > 0 ? found : null;
  }, 'it is rework');
  const again = (await (await stage.call('GET', `beads/${rework ?? ''}`)).json()) as { body: string; branch: string };
  ok(again.body.includes('- hostile.txt:1: say it kindly'), again.body);
  await stage.must('mq', 'resume', 'app');
  await stage.closed(id);
  equal((await bead()).review?.branch, branch);
  await page.getByText('This is what was merged.').waitFor();
  await page.getByLabel('File').selectOption({ label: 'hostile.txt' });
  await lines.getByText('kind', { exact: true }).waitFor();
  equal(complaints, []);
  await context.close();
  return `at most ${String(Math.max(...counts))} of ${String(LONG_LINES)} lines in the page`;
}

interface Reviewed {
  readonly rework_beads: readonly string[];
  readonly review: { readonly branch: string } | null;
}

export const REVIEW_CASES: readonly WebCase[] = [
  { name: 'two people edit one bead, and neither loses a word', run: twoEditors },
  { name: 'remarks at lines of a diff become rework on the same branch', run: lineComments },
];
