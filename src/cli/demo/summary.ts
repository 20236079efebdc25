import type { JournalItem } from '../../api/contract/town.ts';
import type { TownClient } from '../town-client.ts';
import { query } from '../town-client.ts';

const PAGE = 500;

/** The whole journal of a small town, oldest first. */
export async function readJournal(client: TownClient): Promise<readonly JournalItem[]> {
  const all: JournalItem[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page: { items: JournalItem[]; cursor: string } = await client.get(`feed${query({ cursor, limit: PAGE })}`);
    all.push(...page.items);
    if (page.items.length === 0) return all;
    cursor = page.cursor;
  }
}

/** What an operator wants to know of a run, counted from the journal. */
export function summarise(journal: readonly JournalItem[]): readonly (readonly [string, number])[] {
  const count = (test: (item: JournalItem) => boolean): number => journal.filter(test).length;
  return [
    ['agents started', count((item) => item.action === 'agent_started')],
    [
      'claims verified and promoted',
      count(
        (item) =>
          item.action === 'create_review' ||
          (item.action === 'transition_bead' && item.reason.startsWith('integrated')),
      ),
    ],
    [
      'red gates turned into rework',
      count((item) => item.action === 'create_rework' && item.reason.startsWith('rework')),
    ],
    [
      'conflicts resolved on the branch',
      count((item) => item.action === 'create_rework' && item.reason.startsWith('conflict')),
    ],
    ['merges pushed', count((item) => item.action === 'merge_step' && item.to === 'ended')],
    ['decisions journalled', journal.length],
  ];
}
