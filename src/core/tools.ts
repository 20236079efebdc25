import type { AgentVerb, MayorVerb } from './queries.ts';

/**
 * One tool of agents: its name over MCP, the commands that do the same, and the right that each kind of caller needs.
 * Null: that kind of caller does not have it.
 */
export interface Tool {
  readonly name: string;
  /** One line: what it is for, as an agent reads it. */
  readonly purpose: string;
  /** Names of commands; the first does what the tool does, others come with the same right. */
  readonly commands: readonly string[];
  readonly agent: AgentVerb | null;
  readonly mayor: MayorVerb | null;
  /** Whether a person's own assistant gets it, with the owner's token. */
  readonly owner: boolean;
}

type Rights = Partial<Pick<Tool, 'agent' | 'mayor' | 'owner'>>;

function tool(name: string, commands: readonly string[], purpose: string, rights: Rights): Tool {
  return { agent: null, mayor: null, owner: false, ...rights, name: `gt_${name}`, purpose, commands };
}

/** Tools that agents have, whatever their role; some of them the mayor and people too. */
const EVERYONE: readonly Tool[] = [
  tool('prime', ['prime'], 'Read who you are, what is on your hook, the rules and your unread mail.', {
    agent: 'prime',
    mayor: 'session',
  }),
  tool('hook', ['hook'], 'Show the one bead on your hook: the work that you are to do now.', { agent: 'hook' }),
  tool('bead_show', ['bead show', 'mol show'], 'Show a bead with its attempts, its review and why it waits.', {
    agent: 'bead',
    mayor: 'list_beads',
    owner: true,
  }),
  tool('done', ['done'], 'Hand in the finished work: it is checked in git, then merged.', { agent: 'done' }),
  tool('checkpoint', ['checkpoint'], 'Save where you are, for the next session at the same work.', {
    agent: 'checkpoint',
    mayor: 'session',
  }),
  tool('mail_send', ['mail send', 'mail reply'], 'Write to an agent, to the mayor, or to people.', {
    agent: 'mail_send',
    mayor: 'session',
    owner: true,
  }),
  tool('mail_check', ['mail check', 'mail inbox', 'mail read'], 'Read new mail, each once; or one mail in full.', {
    agent: 'mail_check',
    mayor: 'session',
    owner: true,
  }),
  tool('escalate', ['escalate'], 'Tell people that you are stuck, and why; you go on with what you can.', {
    agent: 'escalate',
    mayor: 'session',
  }),
  tool('wait', ['wait'], 'Ask a person what only a person can decide, and wait a while for the answer.', {
    agent: 'wait',
  }),
  tool('status', ['status', 'inbox', 'feed', 'mq', 'escalation list'], 'See where things stand, and what waits.', {
    agent: 'status',
    mayor: 'status',
    owner: true,
  }),
  tool('nudge', ['nudge'], 'Say a short word to an agent at work; it finds it at once or with its mail.', {
    agent: 'nudge',
    mayor: 'nudge',
    owner: true,
  }),
  tool('mol_current', ['mol current'], 'Show the steps of your bead, and which one is next.', {
    agent: 'mol_current',
  }),
  tool('mol_advance', ['mol advance'], 'Say that a step is done, or why it is left out.', { agent: 'mol_advance' }),
  tool('handoff', ['handoff'], 'End this session with a note; a fresh one goes on with it.', {
    agent: 'handoff',
    mayor: 'session',
  }),
  tool('bead_create', ['bead create'], 'Write down follow-up work that you noticed; it is recorded, not started.', {
    agent: 'bead_create',
    mayor: 'sling',
    owner: true,
  }),
];

/** Tools of a reviewer: its own bead is the one whose branch it looks at. */
const REVIEW: readonly Tool[] = [
  tool('request_changes', ['request-changes'], 'Send a branch in review back with comments; it becomes rework.', {
    agent: 'request_changes',
    owner: true,
  }),
  tool('review_approve', ['approve'], 'Say that a branch in review is good, for the record; the gates still decide.', {
    agent: 'review_approve',
    owner: true,
  }),
];

const MAYOR_ONLY: readonly Tool[] = [
  tool('mayor_reply', ['mayor reply'], 'Answer a message of the conversation, once.', { mayor: 'session' }),
];

/** Tools that coordinate the town: of the mayor, and of people. */
const STEERING: readonly Tool[] = [
  tool('sling', ['sling', 'unsling', 'ready', 'mol attach', 'mol list'], 'Give work out: a new task, or a bead.', {
    mayor: 'sling',
  }),
  tool('sling_batch', ['convoy create'], 'Give out several tasks as one plan, with what depends on what.', {
    mayor: 'sling_batch',
  }),
  tool('list_rigs', ['rig list'], 'List the rigs: the repositories of the town.', { mayor: 'list_rigs' }),
  tool('list_beads', ['bead list'], 'List beads, by rig, status or convoy.', { mayor: 'list_beads' }),
  tool('list_agents', ['agents'], 'List the agents, what each has on its hook, and since when it is quiet.', {
    mayor: 'list_agents',
  }),
  tool('list_convoys', ['convoy list'], 'List the convoys and how far they are.', { mayor: 'list_convoys' }),
  tool('convoy_status', ['convoy show'], 'Show one convoy with its beads, and why it waits.', {
    mayor: 'list_convoys',
  }),
  tool('convoy_start', ['convoy start'], 'Start a convoy that was only planned.', { mayor: 'convoy_start' }),
  tool('convoy_close', ['convoy close'], 'End a convoy; what has not ended of it is cancelled.', {
    mayor: 'convoy_change',
  }),
  tool('convoy_add_bead', ['convoy add', 'convoy update'], 'Put more tasks or beads into a convoy.', {
    mayor: 'convoy_change',
  }),
  tool('convoy_remove_bead', ['convoy remove'], 'Take beads out of a convoy; they stay as they are.', {
    mayor: 'convoy_change',
  }),
  tool(
    'bead_update',
    ['bead update', 'bead close', 'bead hold', 'bead release', 'bead retry'],
    'Change the text or priority of a bead, or hold, release, retry or close it.',
    { mayor: 'bead_update' },
  ),
  tool('bead_reassign', ['bead reassign'], 'Give a bead to another agent; a session of another one at it ends.', {
    mayor: 'bead_reassign',
  }),
  tool('agent_reset', ['agent reset'], 'End the session of an agent that is lost; a fresh one starts over.', {
    mayor: 'agent_reset',
  }),
  tool('escalation_acknowledge', ['escalation ack'], 'Take care of an escalation, so that it rises no more.', {
    mayor: 'escalation_acknowledge',
  }),
  tool('why', ['why'], 'Why something waits, which rule says so, and what would change it.', { mayor: 'why' }),
].map((one) => ({ ...one, owner: true }));

/** Every tool, in the order in which it is listed. `docs/tools.md` shows the same table; a test compares them. */
export const TOOLS: readonly Tool[] = [...EVERYONE, ...REVIEW, ...MAYOR_ONLY, ...STEERING];

/**
 * Calls by which the mayor gives out work. A session that repeats one of a former session, word for word, gives it out once:
 * the words are the key.
 */
export const isOrder = (path: string): boolean => /^(?:beads|convoys|convoys\/[^/]+\/add)$/.test(path);

/** Commands that a session of the mayor may run with its token, beside those of its own conversation. */
export const MAYOR_COMMANDS: ReadonlySet<string> = new Set(
  TOOLS.filter(({ mayor }) => mayor !== null && mayor !== 'session').flatMap(({ commands }) => commands),
);
