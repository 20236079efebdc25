export const EVERY_BRANCH: string = '+refs/heads/*:refs/remotes/origin/*';

/**
 * What agents push to when they name the origin: git quotes it in its refusal. The town pushes by address. A guard against
 * habit, not against intent: without isolation an agent can name the address too.
 */
export const NO_PUSH: string = 'agents push nothing, "gt done" hands the work in';

/** What a rig's bare clone is set to besides its address, whoever makes it. */
export const CLONE_SETTINGS: readonly (readonly [key: string, value: string])[] = [
  ['remote.origin.fetch', EVERY_BRANCH],
  ['remote.origin.pushurl', NO_PUSH],
  ['core.logAllRefUpdates', 'true'],
];
