import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Command } from 'cmdk';
import type { ReactNode } from 'react';
import type { AgentItem } from '../../src/api/contract/agents.ts';
import type { BeadItem } from '../../src/api/contract/beads.ts';
import type { ConvoyItem } from '../../src/api/contract/convoys.ts';
import { part, read } from './api.ts';
import { PLACES } from './places.ts';

interface Page<T> {
  readonly items: readonly T[];
}

interface Entry {
  readonly name: string;
  readonly to: string;
  /** The same in a terminal: the palette teaches the command line. */
  readonly command: string;
}

function useEntries(): readonly Entry[] {
  const beads = useQuery({
    queryKey: ['beads', 'palette'],
    queryFn: () => read<Page<BeadItem>>('beads?limit=500&order=newest'),
  });
  const convoys = useQuery({ queryKey: ['convoys'], queryFn: () => read<Page<ConvoyItem>>('convoys') });
  const agents = useQuery({ queryKey: ['agents'], queryFn: () => read<Page<AgentItem>>('agents') });
  return [
    ...PLACES.map((place) => ({ name: place.name, to: place.path, command: place.command })),
    ...(convoys.data?.items ?? []).map(({ id, title }) => ({
      name: `${id} ${title}`,
      to: `/convoys/${part(id)}`,
      command: `gt convoy show ${id}`,
    })),
    ...(agents.data?.items ?? []).map(({ id }) => ({ name: id, to: `/agents/${part(id)}`, command: `gt logs ${id}` })),
    ...(beads.data?.items ?? []).map(({ id, title }) => ({
      name: `${id} ${title}`,
      to: `/beads/${part(id)}`,
      command: `gt bead show ${id}`,
    })),
  ];
}

export function Palette({ close }: { readonly close: () => void }): ReactNode {
  const navigate = useNavigate();
  const entries = useEntries();
  return (
    <Command label="Search and commands" loop>
      <Command.Input
        autoFocus
        placeholder="A screen, bead, convoy or agent"
        className="mb-2 w-full rounded border border-line bg-ground p-2"
      />
      <Command.List className="max-h-[55dvh] overflow-y-auto" tabIndex={0}>
        <Command.Empty className="p-2 text-soft">Nothing is called that.</Command.Empty>
        {entries.map((entry) => (
          <Command.Item
            key={entry.to}
            value={`${entry.name} ${entry.command}`}
            onSelect={() => {
              close();
              void navigate({ to: entry.to });
            }}
            className="flex min-h-9 cursor-pointer flex-wrap items-center justify-between gap-x-4 rounded px-2 py-1 aria-selected:bg-ground"
          >
            <span>{entry.name}</span>
            <code className="text-soft">{entry.command}</code>
          </Command.Item>
        ))}
      </Command.List>
    </Command>
  );
}
