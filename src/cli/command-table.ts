import type { CommandSpec } from './command.ts';

/** One line of `gt --help` and the way to the command; nothing else is loaded to find it. */
export interface TableEntry {
  readonly name: string;
  readonly group: Group;
  readonly summary: string;
  readonly load: () => Promise<CommandSpec>;
}

export const GROUPS = ['Start', 'Work', 'Watch', 'For agents', 'Machinery'] as const;
export type Group = (typeof GROUPS)[number];

const start = (): Promise<typeof import('./commands/start.ts')> => import('./commands/start.ts');
const rig = (): Promise<typeof import('./commands/rig.ts')> => import('./commands/rig.ts');
const bead = (): Promise<typeof import('./commands/bead.ts')> => import('./commands/bead.ts');
const verbs = (): Promise<typeof import('./commands/bead-verbs.ts')> => import('./commands/bead-verbs.ts');
const convoy = (): Promise<typeof import('./commands/convoy.ts')> => import('./commands/convoy.ts');
const watch = (): Promise<typeof import('./commands/watch.ts')> => import('./commands/watch.ts');
const follow = (): Promise<typeof import('./commands/follow.ts')> => import('./commands/follow.ts');
const agent = (): Promise<typeof import('./commands/agent.ts')> => import('./commands/agent.ts');
const daemon = (): Promise<typeof import('./commands/daemon.ts')> => import('./commands/daemon.ts');

/** Every command, in the order of help. */
export const COMMANDS: readonly TableEntry[] = [
  { name: 'init', group: 'Start', summary: 'make a town in a folder', load: async () => (await start()).init },
  { name: 'rig add', group: 'Start', summary: 'put a git repository under management', load: async () => (await rig()).add },
  { name: 'rig list', group: 'Start', summary: 'list the rigs', load: async () => (await rig()).list },
  { name: 'up', group: 'Start', summary: 'start the town and keep it up', load: async () => (await start()).up },
  { name: 'down', group: 'Start', summary: 'stop the town, also after a reboot', load: async () => (await start()).down },
  { name: 'demo', group: 'Start', summary: 'see it work, without a key', load: async () => (await import('./commands/demo.ts')).demo },
  { name: 'doctor', group: 'Start', summary: 'find out what is wrong', load: async () => (await import('./commands/doctor.ts')).doctor },
  { name: 'bead create', group: 'Work', summary: 'write down a piece of work', load: async () => (await bead()).create },
  { name: 'bead list', group: 'Work', summary: 'list beads', load: async () => (await bead()).list },
  { name: 'bead show', group: 'Work', summary: 'one bead and its story', load: async () => (await bead()).show },
  { name: 'bead close', group: 'Work', summary: 'cancel a bead, or close it as no change', load: async () => (await verbs()).close },
  { name: 'bead hold', group: 'Work', summary: 'keep a bead from running', load: async () => (await verbs()).hold },
  { name: 'bead release', group: 'Work', summary: 'let a held bead run', load: async () => (await verbs()).release },
  { name: 'bead retry', group: 'Work', summary: 'try again now', load: async () => (await verbs()).retry },
  { name: 'ready', group: 'Work', summary: 'beads that can run now', load: async () => (await bead()).ready },
  { name: 'sling', group: 'Work', summary: 'give work to an agent', load: async () => (await verbs()).sling },
  { name: 'convoy create', group: 'Work', summary: 'several beads as one plan', load: async () => (await convoy()).create },
  { name: 'convoy list', group: 'Work', summary: 'list convoys', load: async () => (await convoy()).list },
  { name: 'convoy show', group: 'Work', summary: 'one convoy and its beads', load: async () => (await convoy()).show },
  { name: 'convoy start', group: 'Work', summary: 'start a staged convoy', load: async () => (await convoy()).start },
  { name: 'why', group: 'Work', summary: 'what it waits for, and which rule says so', load: async () => (await watch()).why },
  { name: 'status', group: 'Watch', summary: 'the whole town at a glance', load: async () => (await watch()).status },
  { name: 'feed', group: 'Watch', summary: 'what happened, and why', load: async () => (await follow()).feed },
  { name: 'agents', group: 'Watch', summary: 'list the agents', load: async () => (await watch()).agents },
  { name: 'logs', group: 'Watch', summary: 'output of an agent', load: async () => (await follow()).logs },
  { name: 'mq', group: 'Watch', summary: 'the merge trains', load: async () => (await watch()).mq },
  { name: 'prime', group: 'For agents', summary: 'what to do and how', load: async () => (await agent()).prime },
  { name: 'hook', group: 'For agents', summary: 'the bead on my hook', load: async () => (await agent()).hook },
  { name: 'done', group: 'For agents', summary: 'hand in the work', load: async () => (await agent()).done },
  { name: 'checkpoint', group: 'For agents', summary: 'save where I am', load: async () => (await agent()).checkpoint },
  { name: 'daemon start', group: 'Machinery', summary: 'start the daemon in the background', load: async () => (await daemon()).startCommand },
  { name: 'daemon stop', group: 'Machinery', summary: 'stop the daemon, leave agents running', load: async () => (await daemon()).stopCommand },
  { name: 'daemon status', group: 'Machinery', summary: 'is it running, since when', load: async () => (await daemon()).statusCommand },
  { name: 'daemon logs', group: 'Machinery', summary: 'the log of the daemon', load: async () => (await follow()).daemonLogs },
  { name: 'daemon run', group: 'Machinery', summary: 'run the daemon in the foreground', load: async () => (await daemon()).runCommand },
  { name: 'version', group: 'Machinery', summary: 'print the version', load: async () => (await import('./commands/help.ts')).version },
  { name: 'help', group: 'Machinery', summary: 'help for a command, or: exit-codes, environment', load: async () => (await import('./commands/help.ts')).help },
];

/** Finds the command at the start of `argv`: two words win over one. */
export function findCommand(argv: readonly string[]): { readonly entry: TableEntry; readonly rest: readonly string[] } | null {
  const [first, second] = argv;
  if (first === undefined) return null;
  const two = second === undefined ? undefined : COMMANDS.find((entry) => entry.name === `${first} ${second}`);
  if (two !== undefined) return { entry: two, rest: argv.slice(2) };
  const one = COMMANDS.find((entry) => entry.name === first);
  return one === undefined ? null : { entry: one, rest: argv.slice(1) };
}
