/**
 * What one life of an actor has begun and not ended. While anybody has something under way the town is
 * not quiet; what waits for the test's own clock is not under way. A life that ended takes its work with it.
 */
export class Life {
  #underWay = 0;
  #waiting = 0;
  #held: (() => void) | null = null;
  #isOver = false;
  #over: () => void = () => undefined;
  /** Resolves when it is over. */
  readonly over: Promise<void> = new Promise((resolve) => {
    this.#over = resolve;
  });

  get isOver(): boolean {
    return this.#isOver;
  }

  end(): void {
    this.#isOver = true;
    this.#over();
  }

  /** Its next turn, until it is given. */
  hold(turn: () => void): void {
    this.#held = turn;
  }

  /** It has its turn. */
  takeTurn(): void {
    const turn = this.#held;
    this.#held = null;
    turn?.();
  }

  /** Something begins; what is called at its end. */
  begins(): () => void {
    this.#underWay += 1;
    return once(() => {
      this.#underWay -= 1;
    });
  }

  /** Part of what is under way waits until time goes on; what is called when it was waited for. */
  waits(): () => void {
    this.#waiting += 1;
    return once(() => {
      this.#waiting -= 1;
    });
  }

  /** Until `work` is settled it is under way. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const end = this.begins();
    try {
      return await work();
    } finally {
      end();
    }
  }

  get isBusy(): boolean {
    return this.#underWay > this.#waiting;
  }

  get isWaiting(): boolean {
    return this.#waiting > 0;
  }
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) work();
    isDone = true;
  };
}
