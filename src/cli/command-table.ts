import type { CommandSpec } from './command.ts';

type Load = () => Promise<CommandSpec>;

const start = () => import('./commands/start.ts');
const rig = () => import('./commands/rig.ts');
const rigVerbs = () => import('./commands/rig-verbs.ts');
const rescue = () => import('./commands/rescue.ts');
const config = () => import('./commands/config.ts');
const bead = () => import('./commands/bead.ts');
const verbs = () => import('./commands/bead-verbs.ts');
const convoy = () => import('./commands/convoy.ts');
const escalation = () => import('./commands/escalation.ts');
const convoyChanges = () => import('./commands/convoy-changes.ts');
const attention = () => import('./commands/attention.ts');
const watch = () => import('./commands/watch.ts');
const follow = () => import('./commands/follow.ts');
const agent = () => import('./commands/agent.ts');
const mail = () => import('./commands/mail.ts');
const talk = () => import('./commands/talk.ts');
const budget = () => import('./commands/budget.ts');
const mol = () => import('./commands/mol.ts');
const steer = () => import('./commands/steer.ts');
const mayor = () => import('./commands/mayor.ts');
const runner = () => import('./commands/runner.ts');
const daemon = () => import('./commands/daemon.ts');

/** The way to each command of `command-names.ts`; nothing else is loaded to run it. `help` is in `main.ts`. */
const LOADERS: Readonly<Record<string, Load>> = {
  init: async () => (await start()).init,
  'rig add': async () => (await rig()).add,
  'rig list': async () => (await rig()).list,
  'rig park': async () => (await rigVerbs()).park,
  'rig unpark': async () => (await rigVerbs()).unpark,
  'rig retry': async () => (await rigVerbs()).retry,
  'rig config': async () => (await rigVerbs()).configure,
  'rig remove': async () => (await rigVerbs()).remove,
  'config get': async () => (await config()).get,
  'config set': async () => (await config()).set,
  'config explain': async () => (await config()).explain,
  completion: async () => (await import('./commands/completion.ts')).completion,
  'daemon reload': async () => (await daemon()).reloadCommand,
  up: async () => (await start()).up,
  down: async () => (await start()).down,
  demo: async () => (await import('./commands/demo.ts')).demo,
  rehearse: async () => (await import('./commands/rehearse.ts')).rehearse,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  'bead create': async () => (await bead()).create,
  'bead list': async () => (await bead()).list,
  'bead show': async () => (await bead()).show,
  'bead diff': async () => (await import('./commands/bead-diff.ts')).diff,
  'bead close': async () => (await verbs()).close,
  'bead hold': async () => (await verbs()).hold,
  'bead release': async () => (await verbs()).release,
  'bead update': async () => (await verbs()).updateBead,
  'mol attach': async () => (await mol()).attach,
  'mol show': async () => (await mol()).showMolecule,
  'mol list': async () => (await mol()).listFormulas,
  'mol current': async () => (await mol()).current,
  'mol advance': async () => (await mol()).advance,
  'bead reassign': async () => (await steer()).reassign,
  'agent show': async () => (await import('./commands/agent-show.ts')).showAgent,
  'agent reset': async () => (await steer()).reset,
  'bead retry': async () => (await verbs()).retry,
  'bead reopen': async () => (await verbs()).reopen,
  unsling: async () => (await verbs()).unsling,
  'request-changes': async () => (await verbs()).requestChanges,
  review: async () => (await import('./commands/review.ts')).review,
  approve: async () => (await verbs()).approve,
  inbox: async () => (await attention()).inbox,
  ready: async () => (await bead()).ready,
  sling: async () => (await verbs()).sling,
  'convoy create': async () => (await convoy()).create,
  'convoy list': async () => (await convoy()).list,
  'convoy show': async () => (await convoy()).show,
  'convoy start': async () => (await convoy()).start,
  'convoy add': async () => (await convoyChanges()).add,
  'convoy remove': async () => (await convoyChanges()).remove,
  'convoy update': async () => (await convoyChanges()).update,
  'convoy close': async () => (await convoyChanges()).close,
  'convoy revert': async () => (await convoyChanges()).revert,
  'escalation list': async () => (await escalation()).list,
  'escalation ack': async () => (await escalation()).ack,
  'escalation resolve': async () => (await escalation()).resolve,
  'escalation decide': async () => (await escalation()).decide,
  why: async () => (await attention()).why,
  top: async () => (await import('./commands/top.ts')).top,
  dashboard: async () => (await import('./commands/dashboard.ts')).dashboard,
  status: async () => (await watch()).status,
  feed: async () => (await follow()).feed,
  agents: async () => (await watch()).agents,
  logs: async () => (await import('./commands/logs.ts')).logs,
  attach: async () => (await import('./commands/logs.ts')).attach,
  mq: async () => (await watch()).mq,
  'mq pause': async () => (await import('./commands/train-verbs.ts')).pause,
  'mq resume': async () => (await import('./commands/train-verbs.ts')).resume,
  'mq bounce': async () => (await import('./commands/train-verbs.ts')).bounce,
  'mq retry': async () => (await import('./commands/train-verbs.ts')).retry,
  'rescue list': async () => (await rescue()).list,
  'rescue show': async () => (await rescue()).show,
  'rescue restore': async () => (await rescue()).restore,
  'rescue discard': async () => (await rescue()).discard,
  prime: async () => (await agent()).prime,
  hook: async () => (await agent()).hook,
  done: async () => (await agent()).done,
  usage: async () => (await import('./commands/usage.ts')).usage,
  costs: async () => (await import('./commands/costs.ts')).costs,
  'budget list': async () => (await budget()).list,
  'budget set': async () => (await budget()).set,
  'budget remove': async () => (await budget()).remove,
  checkpoint: async () => (await agent()).checkpoint,
  'mail inbox': async () => (await mail()).inbox,
  'mail read': async () => (await mail()).read,
  'mail send': async () => (await mail()).send,
  'mail reply': async () => (await mail()).reply,
  'mail check': async () => (await mail()).check,
  'mayor start': async () => (await mayor()).start,
  'mayor stop': async () => (await mayor()).stop,
  'mayor status': async () => (await mayor()).status,
  'mayor message': async () => (await mayor()).message,
  'mayor log': async () => (await mayor()).log,
  mayor: async () => (await import('./commands/mayor-chat.ts')).chat,
  'mayor attach': async () => (await import('./commands/mayor-chat.ts')).chat,
  'mayor reply': async () => (await mayor()).reply,
  'mcp install': async () => (await import('./commands/mcp-install.ts')).install,
  mcp: async () => (await import('./commands/mcp.ts')).serve,
  nudge: async () => (await talk()).nudge,
  wait: async () => (await talk()).wait,
  escalate: async () => (await talk()).escalate,
  handoff: async () => (await talk()).handoff,
  replay: async () => (await import('./commands/replay.ts')).replay,
  backup: async () => (await import('./commands/backup.ts')).backup,
  restore: async () => (await import('./commands/backup.ts')).restore,
  'town export': async () => (await import('./commands/move.ts')).exportCommand,
  'town import': async () => (await import('./commands/move.ts')).importCommand,
  'town resume': async () => (await import('./commands/move.ts')).resume,
  runner: async () => (await import('./commands/runner-run.ts')).run,
  'runner add': async () => (await runner()).add,
  'runner list': async () => (await runner()).list,
  'runner show': async () => (await runner()).show,
  'runner rotate': async () => (await runner()).rotate,
  'runner drain': async () => (await runner()).drain,
  'runner undrain': async () => (await runner()).undrain,
  'runner remove': async () => (await runner()).remove,
  'daemon start': async () => (await daemon()).startCommand,
  'daemon stop': async () => (await daemon()).stopCommand,
  'daemon status': async () => (await daemon()).statusCommand,
  'daemon logs': async () => (await follow()).daemonLogs,
  version: async () => (await import('./commands/version.ts')).version,
  'daemon run': async () => (await daemon()).runCommand,
};

export interface FoundCommand {
  readonly name: string;
  readonly load: Load;
  readonly rest: readonly string[];
}

/** Finds the command at the start of `argv`: two words win over one. */
export function findCommand(argv: readonly string[]): FoundCommand | null {
  for (const words of [2, 1]) {
    if (argv.length < words) continue;
    const name = argv.slice(0, words).join(' ');
    const load = Object.hasOwn(LOADERS, name) ? LOADERS[name] : undefined;
    if (load !== undefined) return { name, load, rest: argv.slice(words) };
  }
  return null;
}
