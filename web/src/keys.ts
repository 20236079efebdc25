/** Rows are whatever carries `data-row`; the keyboard walks them, wherever they are. */
const rows = (): readonly HTMLElement[] => [...document.querySelectorAll<HTMLElement>('main [data-row]')];

export function step(by: 1 | -1, within?: HTMLElement): void {
  const all = within === undefined ? rows() : [...within.querySelectorAll<HTMLElement>('[data-row]')];
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[at < 0 ? (by === 1 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
  const target = next?.matches('a, button') === true ? next : (next?.querySelector<HTMLElement>('a, button') ?? next);
  target?.focus();
  target?.scrollIntoView({ block: 'nearest' });
}

/** What the row in focus is about, or the page. */
export function subjectInFocus(): string | null {
  const holder =
    document.activeElement?.closest<HTMLElement>('[data-subject]') ??
    document.querySelector<HTMLElement>('main [data-subject-page]');
  return holder?.dataset['subject'] ?? holder?.dataset['subjectPage'] ?? null;
}

/** Presses the button of the row in focus that has this key. */
export function pressInRow(key: string): void {
  const row = document.activeElement?.closest('[data-row]') ?? document.querySelector('main [data-row]');
  row?.querySelector<HTMLButtonElement>(`button[data-key="${key}"]`)?.click();
}

/** Presses the button of the page that has this key. */
export function pressOnPage(key: string): void {
  document.querySelector<HTMLButtonElement>(`main button[data-key="${key}"]`)?.click();
}
