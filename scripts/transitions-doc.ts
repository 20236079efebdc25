/** Writes docs/transitions.md from the tables that the store enforces: `npm exec node -- scripts/transitions-doc.ts`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AGENT_TRANSITIONS,
  beadTransitions,
  CONVOY_TRANSITIONS,
  MERGE_STEP_TRANSITIONS,
  type Transition,
} from '../src/core/transitions.ts';

interface Machine {
  readonly title: string;
  readonly about: string;
  readonly first: string;
  readonly table: readonly Transition<string>[];
}

const MACHINES: readonly Machine[] = [
  {
    title: 'Bead: task',
    about: 'Work that gets a branch and a merge request of its own.',
    first: 'open',
    table: beadTransitions('issue', 'task'),
  },
  {
    title: 'Bead: rework, conflict, feedback',
    about: "Work that continues the branch of its source bead and blocks the source's merge request meanwhile.",
    first: 'open',
    table: beadTransitions('issue', 'rework'),
  },
  {
    title: 'Bead: landing',
    about: "Brings a convoy's feature branch to the target branch of one rig; it needs no agent.",
    first: 'open',
    table: beadTransitions('issue', 'landing'),
  },
  {
    title: 'Bead: revert',
    about: 'Takes back what a convoy landed on one branch; an agent works on it only where that needs judgement.',
    first: 'open',
    table: beadTransitions('issue', 'revert'),
  },
  {
    title: 'Bead: merge request',
    about: 'Carries the branch of one source bead to its target; one per source for the life of the branch.',
    first: 'open',
    table: beadTransitions('merge_request', 'task'),
  },
  {
    title: 'Merge request: step',
    about: 'Where a merge request is in its train (`reviews.step`); its bead is in progress from preparing to pushing.',
    first: 'queued',
    table: MERGE_STEP_TRANSITIONS,
  },
  { title: 'Agent', about: 'One identity of a rig, with at most one hook.', first: 'idle', table: AGENT_TRANSITIONS },
  {
    title: 'Convoy',
    about: 'Beads tracked together, over one rig or several.',
    first: 'creating',
    table: CONVOY_TRANSITIONS,
  },
];

const HEAD = `# Transitions

Made by \`npm exec node -- scripts/transitions-doc.ts\` from \`src/core/transitions.ts\`; do not edit. The same tables are the guard of
every status change (\`src/store/rig-writer.ts\`, \`src/actors/town/town-program.ts\`): what is not listed here can't happen.
A status without a way out is final; for beads and convoys a SQL trigger holds that too.
`;

/** The whole document. */
export function transitionsDoc(): string {
  return [HEAD, ...MACHINES.map(section)].join('\n');
}

function section(machine: Machine): string {
  const { table } = machine;
  const states = [...new Set([machine.first, ...table.flatMap((row) => [row.from, row.to])])];
  const final = states.filter((state) => !table.some((row) => row.from === state));
  const rows = table.map((row) => `| ${row.from} | ${row.to} | ${row.when} |`);
  return [
    `## ${machine.title}`,
    '',
    `${machine.about} Begins as \`${machine.first}\`; final: ${final.map((state) => `\`${state}\``).join(', ')}.`,
    '',
    '| from | to | when |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

if (import.meta.main) {
  const path = join(import.meta.dirname, '../docs/transitions.md');
  writeFileSync(path, transitionsDoc());
  console.log(`wrote ${path}`);
}
