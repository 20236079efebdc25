import type { AgentItem } from '../../api/contract/agents.ts';
import type { QueueItem } from '../../api/contract/beads.ts';
import type { CostsItem } from '../../api/contract/money.ts';
import type { StatusItem } from '../../api/contract/town.ts';

export const TABS = ['inbox', 'convoys', 'agents', 'train', 'costs'] as const;
export type Tab = (typeof TABS)[number];

/** What was read of the town, all at once. */
export interface TownNow {
  readonly status: StatusItem;
  readonly agents: readonly AgentItem[];
  readonly queue: readonly QueueItem[];
  /** Null: it could not be read, which is not nothing. */
  readonly costs: CostsItem | null;
}

/** How fresh what is shown is. */
export type LinkWord = 'Live' | 'Connecting' | 'Catching up' | 'Reading' | 'Offline' | 'Refused';

export interface Link {
  readonly word: LinkWord;
  /** When the town said something last. */
  readonly asOfMs: number;
  /** Why nothing can be read, and what to do; lines. */
  readonly reason?: readonly string[];
}

export type Sheet =
  | { readonly kind: 'help' }
  | { readonly kind: 'lines'; readonly title: string; readonly lines: readonly string[] };

/** All that is on the screen, and nothing else. */
export interface TopState {
  readonly tab: Tab;
  /** Id of the row in focus, by tab: it stays in focus when others come and go. */
  readonly focus: Readonly<Record<Tab, string | null>>;
  readonly filter: string;
  /** The filter is being typed. */
  readonly isTyping: boolean;
  /** `g` was pressed: the next key says where to go. */
  readonly isGoing: boolean;
  readonly sheet: Sheet | null;
  /** Its lines above the screen. */
  readonly sheetFrom: number;
  readonly town: TownNow | null;
  readonly link: Link;
}

export const START: TopState = {
  tab: 'inbox',
  focus: { inbox: null, convoys: null, agents: null, train: null, costs: null },
  filter: '',
  isTyping: false,
  isGoing: false,
  sheet: null,
  sheetFrom: 0,
  town: null,
  link: { word: 'Connecting', asOfMs: 0 },
};
