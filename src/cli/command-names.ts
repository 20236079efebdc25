export const GROUPS = ['Start', 'Work', 'Watch', 'For agents', 'Machinery'] as const;
type Group = (typeof GROUPS)[number];

/** One line of `gt --help`. */
export interface CommandName {
  readonly name: string;
  readonly group: Group;
  readonly summary: string;
}

/** Every command, in the order of help. */
export const COMMAND_NAMES: readonly CommandName[] = [
  { name: 'init', group: 'Start', summary: 'make a town in a folder' },
  { name: 'rig add', group: 'Start', summary: 'put a git repository under management' },
  { name: 'rig list', group: 'Start', summary: 'list the rigs' },
  { name: 'up', group: 'Start', summary: 'start the town and keep it up' },
  { name: 'down', group: 'Start', summary: 'stop the town, also after a reboot' },
  { name: 'demo', group: 'Start', summary: 'see it work, without a key' },
  { name: 'doctor', group: 'Start', summary: 'find out what is wrong' },
  { name: 'bead create', group: 'Work', summary: 'write down a piece of work' },
  { name: 'bead list', group: 'Work', summary: 'list beads' },
  { name: 'bead show', group: 'Work', summary: 'one bead and its story' },
  { name: 'bead update', group: 'Work', summary: 'change the text or priority of a bead' },
  { name: 'bead close', group: 'Work', summary: 'cancel a bead, or close it as no change' },
  { name: 'bead hold', group: 'Work', summary: 'keep a bead from running' },
  { name: 'bead release', group: 'Work', summary: 'let a held bead run' },
  { name: 'bead retry', group: 'Work', summary: 'try again now' },
  { name: 'ready', group: 'Work', summary: 'beads that can run now' },
  { name: 'sling', group: 'Work', summary: 'give work to an agent' },
  { name: 'unsling', group: 'Work', summary: 'take work back that has not started' },
  { name: 'request-changes', group: 'Work', summary: 'send a branch in review back with comments' },
  { name: 'convoy create', group: 'Work', summary: 'several beads as one plan' },
  { name: 'convoy list', group: 'Work', summary: 'list convoys' },
  { name: 'convoy show', group: 'Work', summary: 'one convoy and its beads' },
  { name: 'convoy start', group: 'Work', summary: 'start a staged convoy' },
  { name: 'convoy add', group: 'Work', summary: 'more beads for a convoy' },
  { name: 'convoy remove', group: 'Work', summary: 'take beads out of a convoy' },
  { name: 'convoy update', group: 'Work', summary: 'change its title or failure policy' },
  { name: 'convoy close', group: 'Work', summary: 'end a convoy, cancel what has not ended' },
  { name: 'why', group: 'Work', summary: 'what it waits for, and which rule says so' },
  { name: 'status', group: 'Watch', summary: 'the whole town at a glance' },
  { name: 'inbox', group: 'Watch', summary: 'what needs a person' },
  { name: 'escalation list', group: 'Watch', summary: 'what is escalated, and what may be answered' },
  { name: 'escalation ack', group: 'Watch', summary: 'take care of it' },
  { name: 'escalation resolve', group: 'Watch', summary: 'say that it is over' },
  { name: 'escalation decide', group: 'Watch', summary: 'answer it; the answer is applied' },
  { name: 'feed', group: 'Watch', summary: 'what happened, and why' },
  { name: 'agents', group: 'Watch', summary: 'list the agents' },
  { name: 'logs', group: 'Watch', summary: 'output of an agent' },
  { name: 'mq', group: 'Watch', summary: 'the merge trains' },
  { name: 'prime', group: 'For agents', summary: 'what to do and how' },
  { name: 'hook', group: 'For agents', summary: 'the bead on my hook' },
  { name: 'done', group: 'For agents', summary: 'hand in the work' },
  { name: 'checkpoint', group: 'For agents', summary: 'save where I am' },
  { name: 'daemon start', group: 'Machinery', summary: 'start the daemon in the background' },
  { name: 'daemon stop', group: 'Machinery', summary: 'stop the daemon, leave agents running' },
  { name: 'daemon status', group: 'Machinery', summary: 'is it running, since when' },
  { name: 'daemon logs', group: 'Machinery', summary: 'the log of the daemon' },
  { name: 'daemon run', group: 'Machinery', summary: 'run the daemon in the foreground' },
  { name: 'version', group: 'Machinery', summary: 'print the version' },
  { name: 'help', group: 'Machinery', summary: 'help for a command, or: exit-codes, environment' },
];
