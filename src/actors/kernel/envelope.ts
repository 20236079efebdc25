import type { EffectOutcome } from './program.ts';

/** A message of another actor, numbered per sender. */
export interface Envelope {
  readonly from: string;
  readonly to: string;
  readonly seq: number;
  readonly message: { readonly type: string };
}

/** `gap`: an earlier message of this sender has not arrived; the sender repeats in order. */
export type Receipt = 'applied' | 'duplicate' | 'gap';

/**
 * A message whose predecessor the receiver never had. A lane keeps the order, so that only a database of another moment
 * says so (I17): it is tried again ever more seldom, and the status says which two disagree.
 */
export const OUT_OF_ORDER: EffectOutcome = {
  state: 'retry',
  error: 'the receiver lacks an earlier message; "gt doctor" says which database is of another moment',
};
