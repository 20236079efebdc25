/** Where the keyboard, the palette and the menu lead. `keys`: pressed one after the other. */
export interface Place {
  readonly path: '/' | '/beads' | '/convoys' | '/train' | '/agents' | '/mail' | '/timeline' | '/health' | '/costs';
  readonly name: string;
  readonly keys: string;
  /** The same in a terminal. */
  readonly command: string;
}

export const PLACES: readonly Place[] = [
  { path: '/', name: 'Inbox', keys: 'g>i', command: 'gt inbox' },
  { path: '/beads', name: 'Beads', keys: 'g>b', command: 'gt bead list' },
  { path: '/convoys', name: 'Convoys', keys: 'g>c', command: 'gt convoy list' },
  { path: '/train', name: 'Train', keys: 'g>m', command: 'gt mq' },
  { path: '/agents', name: 'Agents', keys: 'g>a', command: 'gt agents' },
  { path: '/mail', name: 'Mail', keys: 'g>l', command: 'gt mail inbox' },
  { path: '/timeline', name: 'Timeline', keys: 'g>t', command: 'gt feed' },
  { path: '/health', name: 'Health', keys: 'g>h', command: 'gt doctor' },
  { path: '/costs', name: 'Costs', keys: 'g>$', command: 'gt costs' },
];

export interface KeyHelp {
  readonly keys: string;
  readonly what: string;
}

/** The help is made of this and of the places, so it can't fall behind. */
export const KEYS: readonly KeyHelp[] = [
  { keys: 'j', what: 'next row' },
  { keys: 'k', what: 'row before' },
  { keys: 'Enter', what: 'open' },
  { keys: 'w', what: 'why: what it waits for' },
  { keys: 'n', what: 'next that needs you' },
  { keys: 'a', what: 'take care of it (in the inbox)' },
  { keys: 'r', what: 'say that it is over (in the inbox)' },
  { keys: 'e', what: 'edit (a bead)' },
  { keys: 'd', what: 'what its work changes (a bead)' },
  { keys: '/', what: 'search and commands' },
  { keys: '?', what: 'this help' },
  { keys: 'Esc', what: 'close' },
];

export const shown = (keys: string): string => keys.replaceAll('>', ' ');
