import type { StartAgent } from '../../src/api/contract/runner.ts';
import { findBubblewrap } from '../../src/runner/isolation/bubblewrap.ts';
import type { Step } from '../../src/cli/rehearse/model/scenario.ts';
import { type Bench, expectTrue } from './bench.ts';

/** One row of the matrix: what is tried, and what it says when it went well. Throws with what went wrong. */
export interface Case {
  readonly name: string;
  readonly what: string;
  /** In the short form of CI: for all programs, for none, or for these. */
  readonly short: boolean | readonly string[];
  /** What this machine lacks for it; null: nothing. */
  readonly missing?: () => Promise<string | null>;
  run(bench: Bench): Promise<string>;
}

const COMMIT: Step = { shell: 'git add -A && git commit -q -m "Add work.txt" && git log --oneline -1' };
const WRITE_IF_MISSING: Step = { shell: 'test -f work.txt || echo "made by an agent" > work.txt' };
const DONE: Step = { shell: 'gt done --summary "work.txt is there"' };
const BYE: Step = { say: 'All done.' };
const WORK: readonly Step[] = [
  { say: 'I begin.', write: { path: 'work.txt', text: 'made by an agent\n' } },
  COMMIT,
  DONE,
  BYE,
];
/** Some programs refuse a plain long sleep, others a command within a command. */
const SLOW: Step = {
  shell: `echo begun > begun.txt; for i in ${'x '.repeat(300).trim()}; do sleep 1; done`,
  first: true,
};

async function handedIn(bench: Bench, start: StartAgent): Promise<string> {
  const done = await bench.fact('agent_done', start);
  const exit = await bench.exit(start);
  expectTrue(
    exit.doneIntent && exit.head === done.head && exit.ahead === 1,
    `the claim is not the work: ${JSON.stringify(exit)}`,
  );
  const text = bench.town.git(['--git-dir', bench.town.bare, 'show', `${done.head}:work.txt`]);
  expectTrue(text === 'made by an agent', `work.txt has ${JSON.stringify(text)}`);
  expectTrue(bench.town.alive().length === 0, 'processes are left');
  return `exit ${String(exit.exitCode ?? exit.signal)}`;
}

/** Faults that its program gets over by itself. */
async function survives(
  bench: Bench,
  fault: NonNullable<Step['fault']>,
  meanwhile: readonly Step[] = [],
): Promise<string> {
  const [first, ...rest] = WORK;
  const start = await bench.start([{ ...first, fault }, ...meanwhile, ...rest]);
  const ended = await bench.fact('agent_exited', start);
  // Not all programs ask again: then the provider is named, and the next attempt is another day's.
  const limit = bench.facts('quota_limited', start)[0];
  if (!ended.exit.doneIntent && limit !== undefined) return `no: it ends the attempt, uncharged ("${limit.reason}")`;
  const how = await handedIn(bench, start);
  expectTrue(
    bench.model.seen.some((seen) => seen.fault === fault.kind),
    'the model never failed',
  );
  return how;
}

/** Faults that last: the attempt ends by itself, and the provider is named instead of the bead. */
async function givesUp(bench: Bench, fault: NonNullable<Step['fault']>): Promise<string> {
  const began = performance.now();
  const start = await bench.start([{ say: 'never', fault }]);
  const limit = await bench.fact('quota_limited', start);
  const exit = await bench.exit(start);
  expectTrue(exit.cause === 'exited' && !exit.doneIntent, `it ended by ${exit.cause}`);
  expectTrue(bench.town.alive().length === 0, 'processes are left');
  return `${((performance.now() - began) / 1_000).toFixed(0)} s, "${limit.reason.slice(0, 40)}"`;
}

async function inTool(bench: Bench): Promise<StartAgent> {
  const start = await bench.start([SLOW, ...WORK]);
  await bench.until(() => bench.hasFile('begun.txt'), 'its tool runs', start);
  return start;
}

async function killed(bench: Bench, signal: 'SIGTERM' | 'SIGKILL'): Promise<StartAgent> {
  const start = await inTool(bench);
  process.kill(await bench.pid(start), signal);
  const exit = await bench.exit(start);
  expectTrue(exit.cause === 'exited' && !exit.doneIntent, `it ended by ${exit.cause}`);
  expectTrue(bench.town.alive().length === 0, 'processes are left');
  return start;
}

/** The next attempt of the same bead knows what the first one was told and did, and has its permissions again. */
async function resumed(bench: Bench, before: StartAgent): Promise<string> {
  if (bench.preset.resume === 'none') {
    const next = await bench.start(WORK, { bead: before.bead });
    return `${await handedIn(bench, next)}, in a new session`;
  }
  const next = await bench.start([SLOW, ...WORK], { bead: before.bead });
  const how = await handedIn(bench, next);
  const whole = bench.model.seen.filter((seen) => seen.orders === 2 && seen.tools.length > 0);
  const isForgotten = whole.length === 0 && FORGETS_WHEN_KILLED.has(bench.program.runtime);
  expectTrue(whole.length > 0 || isForgotten, 'the model was never shown the former conversation');
  const mode = (text: string): string | null => /permissions \w+|mode [\w-]+/.exec(text)?.[0] ?? null;
  const [was, is] = [before, next].map((start) => mode(bench.town.transcript(start)));
  // What an ACP agent without modes may do is in its settings, which it gets at each start.
  if (bench.preset.protocol === 'acp' && bench.preset.mode === null) {
    expectTrue(was === null && is === null, 'a mode was set of a program that has none');
    return `${how}, permissions: not applicable, it has no modes`;
  }
  expectTrue(was !== null && was === is, `permissions were ${String(was)} and are ${String(is)}`);
  return `${how}, ${String(is)}${isForgotten ? '; of the killed turn it knows nothing' : ''}`;
}

/** Seen to take the session up by its id, without the turn in which it was killed: the order is said again in full. */
const FORGETS_WHEN_KILLED: ReadonlySet<string> = new Set(['qwen']);

async function noBubblewrap(): Promise<string | null> {
  const found = await findBubblewrap();
  return found.works ? null : `no bubblewrap: ${found.problem ?? 'it does not work here'}`;
}

export const CASES: readonly Case[] = [
  {
    name: 'work',
    what: 'edits a file, commits, calls gt done; usage is known',
    short: true,
    run: async (bench) => {
      const start = await bench.start(WORK);
      const how = await handedIn(bench, start);
      const used = bench.facts('agent_usage', start).at(-1)?.models ?? [];
      const tokens = used.reduce((sum, row) => sum + row.tokensIn, 0);
      expectTrue(tokens > 0, 'no usage was reported');
      return `${how}, ${String(tokens)} tokens in`;
    },
  },
  {
    name: 'our tools',
    what: 'hands the work in by the tool gt_done over MCP',
    short: ['claude'],
    run: async (bench) => {
      const [first] = WORK;
      const done: Step = { tool: { name: 'gt_done', args: { summary: 'work.txt is there' } } };
      return handedIn(bench, await bench.start([{ ...first }, COMMIT, done, BYE]));
    },
  },
  {
    name: 'bubblewrap',
    what: 'the same in a sandbox that shows its own home and its program, and hides the town',
    short: false,
    missing: noBubblewrap,
    run: async (bench) => {
      const look: Step = { shell: `cat ${bench.town.root}/.gastown/secrets.json || echo hidden`, first: true };
      const start = await bench.start([look, ...WORK], { sandbox: bench.sandbox });
      const how = await handedIn(bench, start);
      expectTrue(
        bench.facts('agent_started', start).every(({ isolation }) => isolation === 'bubblewrap'),
        'it was not shut in',
      );
      const said = bench.town.transcript(start);
      expectTrue(said.includes('hidden') && !said.includes('owner-secret'), 'it read the secrets');
      return how;
    },
  },
  {
    name: 'host list',
    what: 'shut in with a network that is a list of one host: does it ask the proxy for its model?',
    short: false,
    missing: noBubblewrap,
    run: async (bench) => {
      const network = [`127.0.0.1:${String(bench.model.port)}`];
      const start = await bench.start(WORK, { sandbox: { ...bench.sandbox, network } });
      await bench.exit(start);
      if (bench.model.seen.length === 0) return 'it asks no proxy, so it reaches nothing';
      return `${await handedIn(bench, start)}, by the proxy`;
    },
  },
  {
    name: 'reminder',
    what: 'a turn that ends without gt done is told so once, and goes on',
    short: false,
    run: async (bench) => {
      const [first] = WORK;
      const start = await bench.start([{ ...first }, COMMIT, { say: 'I forgot something.' }, DONE, BYE]);
      return handedIn(bench, start);
    },
  },
  {
    name: '429 twice',
    what: 'a short rate limit is waited out',
    short: false,
    run: (bench) => survives(bench, { kind: 'status', status: 429, headers: { 'retry-after': '1' }, times: 2 }),
  },
  {
    name: '429 always',
    what: 'a lasting one ends the attempt and closes the quota window',
    short: false,
    run: (bench) => givesUp(bench, { kind: 'status', status: 429, headers: { 'retry-after': '1' } }),
  },
  {
    name: '500 once',
    what: 'an error of the model is tried again',
    short: false,
    run: (bench) => survives(bench, { kind: 'status', status: 500, times: 1 }),
  },
  {
    name: '500 always',
    what: 'a broken provider ends the attempt, uncharged',
    short: false,
    run: (bench) => givesUp(bench, { kind: 'status', status: 500 }),
  },
  {
    name: 'hang',
    what: 'a model that never answers is noticed',
    short: false,
    run: (bench) => givesUp(bench, { kind: 'hang' }),
  },
  {
    name: 'malformed',
    what: 'a stream of rubbish is tried again',
    short: false,
    run: (bench) => survives(bench, { kind: 'malformed', times: 1 }),
  },
  {
    name: 'cut',
    what: 'a stream that breaks is tried again',
    short: false,
    // Some take what came for the whole reply and go on; then the file is not there yet.
    run: (bench) => survives(bench, { kind: 'cut', times: 1 }, [WRITE_IF_MISSING]),
  },
  {
    name: '401',
    what: 'no login: the program is charged, not the bead',
    short: false,
    run: async (bench) => {
      const start = await bench.start([
        { say: 'never', fault: { kind: 'status', status: 401, message: 'invalid x-api-key' } },
      ]);
      const exit = await bench.exit(start);
      expectTrue(exit.failed === 'program', `failed is ${String(exit.failed)}: ${exit.lastLine}`);
      return `"${exit.lastLine.slice(0, 50)}"`;
    },
  },
  {
    name: 'SIGTERM',
    what: 'the program is terminated in mid-tool: nothing is left running',
    short: false,
    run: async (bench) => {
      const start = await killed(bench, 'SIGTERM');
      return `rescued ${(await bench.exit(start)).rescueRef === null ? 'nothing' : 'its work'}`;
    },
  },
  {
    name: 'SIGKILL, resume',
    what: 'killed -9 in mid-tool, then the same session goes on with its permissions set again',
    short: ['claude'],
    run: async (bench) => resumed(bench, await killed(bench, 'SIGKILL')),
  },
  {
    name: 'stop, resume',
    what: 'stopped by the town in mid-tool, then resumed',
    short: false,
    run: async (bench) => {
      const start = await inTool(bench);
      await bench.town.stop(start);
      const exit = await bench.exit(start);
      expectTrue(exit.cause === 'stopped' && bench.town.alive().length === 0, `it ended by ${exit.cause}`);
      return resumed(bench, start);
    },
  },
  {
    name: 'permission',
    what: 'where a person must allow it, the attempt waits and goes on with the answer',
    short: false,
    run: async (bench) => {
      const steps = WORK.map((step) => ({ ...step, escalate: true }));
      const start = await bench.start(steps, { preset: bench.asking });
      let answers = 0;
      for (;;) {
        const waits = bench.facts('agent_event', start).filter((fact) => fact.eventType === 'waiting').length;
        if (waits > answers) {
          answers += 1;
          const message = {
            attempt: start.attempt,
            epoch: start.epoch,
            key: `a${String(answers)}`,
            text: 'yes',
            mode: 'immediate',
          };
          const answer = await bench.town.call('POST', '/agents/messages', message);
          expectTrue(answer.json.state === 'delivered', answer.text);
        } else if (bench.facts('agent_exited', start).length > 0) break;
        else await bench.pause();
      }
      const how = await handedIn(bench, start);
      expectTrue(answers > 0, 'nobody was asked');
      const told = bench.facts('agent_event', start).filter((fact) => fact.eventType === 'answered').length;
      expectTrue(told === answers, `${String(answers)} answers, ${String(told)} told`);
      return `${how}, asked ${String(answers)} times`;
    },
  },
  {
    name: 'nudge',
    what: 'words of a person reach the model in mid-turn, or when the turn ends',
    short: false,
    run: async (bench) => {
      const holds = bench.preset.nudge === 'cancels';
      const pausing: readonly Step[] = holds ? [{ say: 'One moment.' }] : [];
      const slow = { shell: 'echo begun > begun.txt; for i in 1 2 3; do sleep 1; done; rm begun.txt' };
      const start = await bench.start([slow, ...pausing, ...WORK]);
      await bench.until(() => bench.hasFile('begun.txt'), 'its tool runs', start);
      const message = {
        attempt: start.attempt,
        epoch: start.epoch,
        key: 'n1',
        text: 'Mind the gap.',
        mode: 'immediate',
      };
      const answer = await bench.town.call('POST', '/agents/messages', message);
      // Words that would end the turn wait for its end.
      const isTaken = holds ? answer.json.error?.code === 'in_mid_turn' : answer.json.state === 'delivered';
      expectTrue(isTaken, answer.text);
      await handedIn(bench, start);
      const seen = bench.model.seen.filter((each) => each.tools.length > 0);
      const at = seen.findIndex((each) => each.words.includes('Mind the gap.'));
      expectTrue(at >= 0, 'the model never saw the words');
      return holds || at > 2 ? 'seen after the turn' : 'seen in mid-turn';
    },
  },
];
