import { SESSION_WORDS_MAX } from './limits.ts';
import { inert } from './text.ts';

/** What a session before this one came to. Its words are the agent's own. */
export interface EarlierSession {
  readonly agent: string;
  readonly outcome: string;
  readonly reason: string | null;
  /** What it said when it claimed to be done. */
  readonly claim: string | null;
}

/** A bead that this one stands next to. */
export interface Neighbour {
  readonly id: string;
  readonly title: string;
  /** How it stands, in a word. */
  readonly state: string;
}

/** What an agent must know beside its bead: what was tried, where its worktree starts, what it belongs to. */
export interface WorkContext {
  /** Oldest first. */
  readonly earlier: readonly EarlierSession[];
  /** Commit that an earlier session left, from which this one goes on. */
  readonly leftHead: string | null;
  /** Beads that it waited for, which are done now. */
  readonly builtOn: readonly Neighbour[];
  readonly convoy: { readonly id: string; readonly others: readonly Neighbour[]; readonly more: number } | null;
}

export const NO_CONTEXT: WorkContext = { earlier: [], leftHead: null, builtOn: [], convoy: null };

/** Paragraphs for a prompt; everything that others wrote is fenced as data. Empty when there is nothing to tell. */
export function contextText(context: WorkContext, fence: (text: string, origin: string) => string): readonly string[] {
  const parts: string[] = [];
  if (context.builtOn.length > 0)
    parts.push(`It builds on work that is done and in your worktree:\n${fence(list(context.builtOn), 'beads')}`);
  if (context.convoy !== null) parts.push(convoyText(context.convoy, fence));
  if (context.earlier.length > 0) parts.push(earlierText(context.earlier, fence));
  if (context.leftHead !== null)
    parts.push(
      `Your worktree starts from ${context.leftHead.slice(0, 12)}, what an earlier session left. Look at it first ("git log", "git status"); keep what is good.`,
    );
  return parts;
}

const list = (those: readonly Neighbour[]): string =>
  those.map(({ id, state, title }) => `${id} (${state}): ${inert(title)}`).join('\n');

function convoyText(
  convoy: NonNullable<WorkContext['convoy']>,
  fence: (text: string, origin: string) => string,
): string {
  const head = `It is part of the convoy ${convoy.id}`;
  if (convoy.others.length === 0) return `${head}.`;
  const more = convoy.more === 0 ? '' : `\nand ${String(convoy.more)} more`;
  return `${head}. Others of it in this rig, done by others; do only your own:\n${fence(list(convoy.others) + more, 'convoy')}`;
}

function earlierText(earlier: readonly EarlierSession[], fence: (text: string, origin: string) => string): string {
  const lines = earlier.map((session) => {
    const words = [session.reason, session.claim === null ? null : `it said: ${session.claim}`];
    const said = words.filter((text) => text !== null).join('; ');
    return `${session.agent}, ${session.outcome}${said === '' ? '' : `: ${cut(inert(said))}`}`;
  });
  return `The last sessions at this bead before yours, and how they ended:\n${fence(lines.join('\n'), 'attempts')}`;
}

const cut = (text: string): string => {
  const line = text.replaceAll('\n', ' ');
  return line.length <= SESSION_WORDS_MAX ? line : `${line.slice(0, SESSION_WORDS_MAX)} [cut]`;
};
