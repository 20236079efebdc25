import type { Turn } from '../kernel/turn.ts';

/** Nobody waits for the job any more. Gates are told to end: they would hold their slot until their time limit. */
export function callOff(turn: Turn, key: string, reason: string): void {
  const isRunning = turn.kernel.pendingEffect(`job:${key}`) !== null;
  turn.kernel.settleEffect(`job:${key}`, 'done', reason, turn.nowMs);
  turn.kernel.settleEffect(`forge:${key}`, 'done', reason, turn.nowMs);
  if (isRunning && key.startsWith('gates:'))
    turn.effect({ key: `cancel:${key}`, kind: 'cancel_job', lane: `cancel:${key}`, payload: { key } });
}
