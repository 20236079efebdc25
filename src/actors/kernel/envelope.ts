/** A message of another actor, numbered per sender. */
export interface Envelope {
  readonly from: string;
  readonly to: string;
  readonly seq: number;
  readonly message: { readonly type: string };
}

/** `gap`: an earlier message of this sender has not arrived; the sender repeats in order. */
export type Receipt = 'applied' | 'duplicate' | 'gap';
