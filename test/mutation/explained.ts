import type { Explanation } from './summary.ts';

/** Changes of the core that no unit test can notice, each with its reason. */
export const EXPLANATIONS: readonly Explanation[] = [];
