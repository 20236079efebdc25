import { Dialog } from '@base-ui/react/dialog';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react';
import { useHotkeys } from 'react-hotkeys-hook';
import { Toaster } from 'sonner';
import type { AttentionWire } from '../../src/api/contract/town.ts';
import { read } from './api.ts';
import { pathOf } from './links.tsx';
import { pressInRow, pressOnPage, step, subjectInFocus } from './keys.ts';
import { startLive, useLive } from './live.ts';
import { clock, StaleNote, StateWord } from './parts.tsx';
import { KEYS, PLACES, shown } from './places.ts';
import { Why } from './why.tsx';

const Palette = lazy(async () => ({ default: (await import('./palette.tsx')).Palette }));

type Open = 'help' | 'palette' | { readonly why: string } | null;

export function Shell(): ReactNode {
  const queries = useQueryClient();
  const [open, setOpen] = useState<Open>(null);
  useEffect(() => {
    startLive(queries);
  }, [queries]);
  useKeys(setOpen);
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(() => {
    document.querySelector('main')?.scrollTo(0, 0);
    setOpen(null);
  }, [path]);
  return (
    <div className="flex h-dvh flex-col md:flex-row">
      <a href="#main" className="sr-only focus:not-sr-only">
        To the content
      </a>
      <Menu />
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <TopLine search={() => setOpen('palette')} help={() => setOpen('help')} />
        <main id="main" tabIndex={-1} className="min-h-0 flex-1 overflow-y-auto p-3 md:p-5">
          <StaleNote />
          <Outlet />
        </main>
      </div>
      <Sheet title="Keys" isOpen={open === 'help'} close={() => setOpen(null)}>
        <KeyTable />
      </Sheet>
      <Sheet title="Why" isOpen={typeof open === 'object' && open !== null} close={() => setOpen(null)}>
        {typeof open === 'object' && open !== null && <Why id={open.why} />}
      </Sheet>
      <Sheet title="Search and commands" isOpen={open === 'palette'} close={() => setOpen(null)}>
        <Suspense fallback={<p>Loading …</p>}>
          <Palette close={() => setOpen(null)} />
        </Suspense>
      </Sheet>
      <Toaster position="bottom-center" theme="system" />
    </div>
  );
}

function useKeys(setOpen: (open: Open) => void): void {
  const navigate = useNavigate();
  const queries = useQueryClient();
  useHotkeys('j', () => step(1));
  useHotkeys('k', () => step(-1));
  useHotkeys('a', () => pressInRow('a'));
  useHotkeys('r', () => pressInRow('r'));
  useHotkeys('e', () => pressOnPage('e'), { preventDefault: true });
  useHotkeys('d', () => pressOnPage('d'));
  useHotkeys('w', () => {
    const subject = subjectInFocus();
    if (subject !== null) setOpen({ why: subject });
  });
  useHotkeys('n', () => {
    const known = queries.getQueryData<{ items: readonly AttentionWire[] }>(['attention'])?.items ?? [];
    const here = known.findIndex((item) => pathOf(item) === location.pathname);
    const next = known[(here + 1) % Math.max(1, known.length)];
    void navigate({ to: next === undefined ? '/' : pathOf(next) });
  });
  useHotkeys(['/', 'mod+k'], () => setOpen('palette'), { preventDefault: true, useKey: true });
  useHotkeys('?', () => setOpen('help'), { useKey: true });
  for (const place of PLACES)
    useHotkeys(place.keys, () => void navigate({ to: place.path }), { useKey: place.keys.includes('$') });
}

function Menu(): ReactNode {
  const { data } = useQuery({ queryKey: ['attention'], queryFn: () => read<{ items: AttentionWire[] }>('attention') });
  const waiting = data?.items.length;
  useEffect(() => {
    const bare = document.title.replace(/^\(\d+\) /, '');
    document.title = waiting === undefined || waiting === 0 ? bare : `(${waiting}) ${bare}`;
  }, [waiting]);
  return (
    <nav
      aria-label="Screens"
      className="shrink-0 overflow-x-auto border-b border-line bg-card md:w-40 md:border-r md:border-b-0"
    >
      <ul className="flex gap-1 p-2 md:flex-col">
        {PLACES.map((place) => (
          <li key={place.path}>
            <Link
              to={place.path}
              activeOptions={{ exact: place.path === '/' }}
              activeProps={{ 'aria-current': 'page', className: 'bg-ground font-semibold' }}
              className="flex min-h-9 items-center justify-between gap-2 rounded px-2 hover:bg-ground"
            >
              {place.name}
              {place.path === '/' && waiting !== undefined && waiting > 0 && (
                <span className="rounded bg-bad px-1.5 text-card">
                  {waiting}
                  <span className="sr-only"> need you</span>
                </span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function TopLine(props: { readonly search: () => void; readonly help: () => void }): ReactNode {
  const live = useLive();
  return (
    <header className="flex items-center justify-between gap-2 border-b border-line bg-card px-3 py-1.5">
      <p title={`The town said something last at ${clock(live.asOf)}`} data-testid="stream-state">
        <span className="sr-only">Stream: </span>
        <StateWord word={live.word} />
      </p>
      <div className="flex gap-2">
        <button type="button" className="button" onClick={props.search}>
          Search <kbd>/</kbd>
        </button>
        <button type="button" className="button" onClick={props.help} aria-label="Keys">
          <kbd>?</kbd>
        </button>
      </div>
    </header>
  );
}

function Sheet(props: {
  readonly title: string;
  readonly isOpen: boolean;
  readonly close: () => void;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <Dialog.Root open={props.isOpen} onOpenChange={(isOpen) => !isOpen && props.close()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 bg-black/40" />
        <Dialog.Popup className="fixed top-[10dvh] left-1/2 max-h-[80dvh] w-[min(40rem,94vw)] -translate-x-1/2 overflow-y-auto rounded border border-line bg-card p-4 text-ink">
          <div className="mb-3 flex items-center justify-between">
            <Dialog.Title className="text-lg font-semibold">{props.title}</Dialog.Title>
            <Dialog.Close className="button">Close</Dialog.Close>
          </div>
          {props.children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function KeyTable(): ReactNode {
  const all = [...KEYS, ...PLACES.map((place) => ({ keys: shown(place.keys), what: place.name }))];
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">What</th>
        </tr>
      </thead>
      <tbody>
        {all.map(({ keys, what }) => (
          <tr key={keys}>
            <td>
              <kbd>{keys}</kbd>
            </td>
            <td>{what}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
