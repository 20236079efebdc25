/** What a person may do: the owner sets up, an operator works, a viewer reads. The owner's token is an owner. */
export const ROLES = ['owner', 'operator', 'viewer'] as const;
export type Role = (typeof ROLES)[number];
