import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { AttentionWire } from '../../src/api/contract/town.ts';
import { part } from './api.ts';

const BEAD = /^[a-z][a-z0-9]*-[0-9a-z]{5}$/;

/** Where a thing is shown; null where it has no page of its own. */
function pageOf(id: string): string | null {
  if (id.startsWith('hq-cv-')) return `/convoys/${part(id)}`;
  if (BEAD.test(id)) return `/beads/${part(id)}`;
  return id.includes('/polecats/') || id.startsWith('at-') ? `/agents/${part(id)}` : null;
}

/** The page of what needs a person: of the thing itself, or of the one that it is called after. */
export const pathOf = (item: Pick<AttentionWire, 'subject' | 'title'>): string =>
  pageOf(item.subject) ?? pageOf(item.title ?? '') ?? '/';

export function Ref({ id }: { readonly id: string | null }): ReactNode {
  if (id === null) return <span className="text-soft">—</span>;
  const page = pageOf(id);
  return page === null ? (
    <code>{id}</code>
  ) : (
    <Link to={page} className="link">
      <code>{id}</code>
    </Link>
  );
}
