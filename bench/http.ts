/** Facts over HTTP, durable when answered, from 64 connections, against servers that do less (goal G5). */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { brainSocket, readSecrets } from '../src/hosts/node/town-files.ts';
import { machineFigures } from './machine.ts';
import { median, type Bench } from './result.ts';
import { signOfLife } from './rig.ts';
import { startDaemon, withTown } from './town.ts';

const ROUNDS = 7;
const CONNECTIONS = 64;
const REQUESTS = 2_000;
const NOOP_GOAL = 0.3;
const COMMIT_GOAL = 5;

interface Target {
  readonly socket: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const http: Bench = async (rounds) =>
  withTown([{ name: 'app', files: { 'README.md': 'app\n' }, gate: null }], async (made) => {
    await startDaemon(made);
    const { town, folder } = made;
    const secret = readSecrets(town.paths).brainCalls;
    const json = { 'content-type': 'application/json' };
    const targets: Readonly<Record<'ours' | 'noop' | 'commit', Target>> = {
      ours: {
        socket: brainSocket(town.identity),
        path: `/api/v1/towns/${town.identity.id}/runner/facts`,
        headers: { ...json, authorization: `Bearer ${secret}` },
      },
      noop: { socket: join(folder, 'noop.sock'), path: '/', headers: json },
      commit: { socket: join(folder, 'commit.sock'), path: '/', headers: json },
    };
    const servers = await Promise.all(
      (['noop', 'commit'] as const).map(async (kind) => {
        const script = join(import.meta.dirname, 'baselines', 'http-server.ts');
        const child = fork(script, [kind, targets[kind].socket, join(folder, 'baseline.db')]);
        await once(child, 'message');
        return child;
      }),
    );
    const seen: Record<keyof typeof targets, readonly number[]> = { ours: [], noop: [], commit: [] };
    try {
      for (let round = 0; round <= (rounds ?? ROUNDS); round += 1)
        for (const name of ['ours', 'noop', 'commit'] as const) {
          // The first round is a warm-up.
          seen[name] = [...(round === 0 ? [] : seen[name]), await load(targets[name], round)];
        }
    } finally {
      for (const server of servers) server.kill();
    }
    const ratio = median(seen.ours) / median(seen.noop);
    const overCommit = median(seen.ours) / median(seen.commit);
    const rate = (values: readonly number[]): string => `${median(values).toFixed(0)} per s`;
    return {
      bench: 'http',
      figures: {
        'facts, durable when answered': rate(seen.ours),
        'a server that does nothing': `${rate(seen.noop)}: ${(ratio * 100).toFixed(0)} %`,
        'a server with one commit per request': `${rate(seen.commit)}: ${overCommit.toFixed(1)} times`,
        connections: String(CONNECTIONS),
        ...machineFigures(folder),
      },
      goal: `at least ${String(NOOP_GOAL * 100)} % of a server that does nothing, and ${String(COMMIT_GOAL)} times one commit per request`,
      holds: ratio >= NOOP_GOAL && overCommit >= COMMIT_GOAL,
      ratio,
      ratioOf: 'durable facts : requests to a server that does nothing',
    };
  });

/** Requests per second, each with a fact of its own. */
async function load(target: Target, round: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < REQUESTS) {
      sent += 1;
      const attempt = { id: `at-${String(round).padStart(4, '0')}${String(sent).padStart(14, '0')}`, epoch: 1 };
      await post(target, agent, JSON.stringify({ facts: [{ ...signOfLife(attempt, sent), rig: 'app' }] }));
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  const tookMs = performance.now() - began;
  agent.destroy();
  return (REQUESTS * 1_000) / tookMs;
}

function post(target: Target, agent: Agent, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath: target.socket,
        path: target.path,
        method: 'POST',
        agent,
        headers: { ...target.headers, 'content-length': Buffer.byteLength(body) },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => (text += part));
        answer.on('end', () => {
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`${String(answer.statusCode)} ${text}`));
        });
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}
