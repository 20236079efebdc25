import { MAYOR } from './model/mayor.ts';
import { fence } from './prompt.ts';
import { inert } from './text.ts';

/** What goes into a live session: people and the town speak for themselves, other agents are quoted as data. */
export function spokenNudge(nudge: { readonly from: string; readonly text: string }): string {
  const isAgent = nudge.from === MAYOR || nudge.from.includes('/polecats/');
  return isAgent ? `A word from ${nudge.from}:\n${fence(inert(nudge.text), nudge.from)}` : nudge.text;
}
