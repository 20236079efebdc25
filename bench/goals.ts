/** Every goal of speed and cost, and what measures it: a bench, another command, or nothing yet and why. */
export interface Goal {
  readonly id: string;
  readonly what: string;
  /** Name of a bench. */
  readonly bench?: string;
  /** Another command, or the reason why nothing measures it. */
  readonly otherwise?: string;
}

export const GOALS: readonly Goal[] = [
  { id: 'G1', what: 'an idle turn costs nothing, whatever was done before', bench: 'tick' },
  { id: 'G2', what: 'a turn costs what changed', bench: 'tick' },
  { id: 'G3', what: 'durable ingest near bare inserts', bench: 'ingest' },
  {
    id: 'G4',
    what: 'durable add against job queues',
    otherwise: 'not measured: needs a PostgreSQL and a Redis beside it, which no machine of ours has',
  },
  { id: 'G5', what: 'durable ingest over HTTP', bench: 'http' },
  { id: 'G6', what: 'a merge near the bare git commands', bench: 'merge' },
  { id: 'G7', what: 'a worktree from the pool', bench: 'workspace' },
  { id: 'G8', what: 'a read command near the start of Node', bench: 'cli' },
  {
    id: 'G9',
    what: 'the merge train against other policies',
    bench: 'train',
  },
  { id: 'G10', what: 'scheduling of one bead, and its commits', bench: 'life' },
  {
    id: 'G11',
    what: 'crash points that leave work stuck: none',
    otherwise: 'npm run crash-points, npm run git-points',
  },
  { id: 'G12', what: 'back after SIGKILL', bench: 'restart' },
  { id: 'G13', what: 'a delivery of the live stream', bench: 'stream' },
  { id: '-', what: 'a merge train that knows which files are changed', bench: 'paths' },
  { id: '-', what: 'two hundred live dashboards on one town', bench: 'dashboards' },
  { id: 'G14', what: 'the simulator', otherwise: 'npm run sim -- --seed 1 --seeds 200 --once' },
  { id: '-', what: "from sling to the agent's process", bench: 'start' },
  { id: '-', what: 'fifty agents and ten thousand closed beads', bench: 'fleet' },
];
