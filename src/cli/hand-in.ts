/** Handing work in: the intent is written first and counts, whatever happens to us or to the runner from there on. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { precondition } from '../core/errors.ts';
import type { Verdict } from '../core/facts.ts';
import { call } from './agent-call.ts';
import type { AgentEnv } from './agent-call.ts';
import { NoAnswer, NotListening } from './socket-http.ts';
import type { SocketAnswer } from './socket-http.ts';
import { errorOf } from './town-client.ts';

/** What an agent says when it is done; `noChange` is the reason why nothing needs to change. */
export interface Intent {
  readonly summary: string;
  readonly commit: string | null;
  readonly noChange: string | null;
}

/** Errors: `state_dir_unwritable`; those of the runner that are a verdict. Everything else is `pending`. */
export async function handIn(agent: AgentEnv, intent: Intent): Promise<Verdict> {
  writeIntent(agent.stateDir, { ...intent, at: Date.now() });
  let answer: SocketAnswer;
  try {
    answer = await call(agent, 'POST', '/agent/done', intent);
  } catch (error) {
    if (!(error instanceof NotListening) && !(error instanceof NoAnswer)) throw error;
    return { verdict: 'pending', message: 'The runner does not answer; your intent is written and counts.' };
  }
  if (answer.status >= 200 && answer.status < 300) return JSON.parse(answer.text) as Verdict;
  const error = errorOf(answer);
  // A server's own fault is not a verdict: the intent is on disk and counts.
  if (error.kind === 'internal' || error.kind === 'busy' || error.kind === 'unreachable')
    return { verdict: 'pending', message: `${error.message} Your intent is written and counts.` };
  throw error;
}

/** Errors: `state_dir_unwritable`. */
function writeIntent(stateDir: string, intent: unknown): void {
  const path = join(stateDir, 'done.json');
  const temporary = `${path}.${String(process.pid)}.tmp`;
  try {
    const file = openSync(temporary, 'w', 0o600);
    writeSync(file, JSON.stringify(intent));
    fsyncSync(file);
    closeSync(file);
    renameSync(temporary, path);
  } catch (error) {
    throw precondition(
      'state_dir_unwritable',
      `The intent can't be written to ${stateDir}: ${error instanceof Error ? error.message : String(error)}.`,
      'Keep your commits; the runner hands them in when you exit.',
    );
  }
}
