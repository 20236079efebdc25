export const EVERY_BRANCH: string = '+refs/heads/*:refs/remotes/origin/*';

/** What a rig's bare clone is set to besides its address, whoever makes it. */
export const CLONE_SETTINGS: readonly (readonly [key: string, value: string])[] = [
  ['remote.origin.fetch', EVERY_BRANCH],
  ['core.logAllRefUpdates', 'true'],
];
