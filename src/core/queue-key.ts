import { AGEING_STEP_MS } from './limits.ts';
import { PRIORITIES, type Priority } from './model/bead.ts';

/**
 * Orders a queue by one constant number: the time it entered, plus one ageing step for each class below critical. An
 * older entry therefore overtakes a newer one of the next higher class after `AGEING_STEP_MS`, and an index does it.
 */
export const queueKey = (priority: Priority, enteredAtMs: number): number =>
  enteredAtMs + PRIORITIES.indexOf(priority) * AGEING_STEP_MS;
