import { errors, jwtVerify, SignJWT } from 'jose';
import { TownError } from '../core/errors.ts';
import { badCredential } from './capability.ts';
import { ROLES, type Role } from './contract/roles.ts';

/** A browser stays signed in for a week; a lost one does not for ever. */
export const SESSION_LIFE_MS = 7 * 24 * 60 * 60_000;

/** Tells a session from an attempt's capability, which the same key signs: neither is ever taken for the other. */
const PREFIX = 'gts1.';
const ISSUER = 'gastown-session';
const ALGORITHM = 'HS256';
const MS_PER_SECOND = 1_000;

export const isSessionToken = (token: string): boolean => token.startsWith(PREFIX);

/** A signed session of a role: a browser's cookie, or a bearer token for what only reads. */
export async function mintSession(
  session: { readonly town: string; readonly role: Role; readonly expiresAtMs: number },
  key: string,
): Promise<string> {
  const token = await new SignJWT({ role: session.role })
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
    .setIssuer(ISSUER)
    .setAudience(session.town)
    .setExpirationTime(Math.floor(session.expiresAtMs / MS_PER_SECOND))
    .sign(new TextEncoder().encode(key));
  return `${PREFIX}${token}`;
}

/** Checks signature, town and expiry. Errors: `session_expired`, `bad_credential`. */
export async function verifySession(
  token: string,
  about: { readonly key: string; readonly town: string; readonly nowMs: number },
): Promise<Role> {
  try {
    const { payload } = await jwtVerify(token.slice(PREFIX.length), new TextEncoder().encode(about.key), {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: about.town,
      currentDate: new Date(about.nowMs),
      requiredClaims: ['exp'],
    });
    const role = ROLES.find((one) => one === payload['role']);
    if (role !== undefined) return role;
  } catch (error) {
    if (error instanceof errors.JWTExpired)
      throw new TownError('unauthenticated', 'session_expired', {
        message: 'This sign-in has ended.',
        next: 'Sign in again with "gt dashboard".',
      });
  }
  throw badCredential();
}

/** Cookies know no ports, so that each town of a machine has a name of its own. */
export const cookieName = (town: string): string => `gt_${town.replaceAll(/[^A-Za-z0-9]/g, '_')}`;

/** What only the owner may change: who may do what, and the settings. */
const OWNERS = /^(?:sign-in-links|settings|config|runners|transfer|move|rigs$|rigs\/[^/]+(?:\/(?:config|remove))?$)/;

/** The whole ledger, and the file that names where secrets lie. */
const OWNERS_TO_READ = /^(?:settings|transfer)/;

/** `path` is below the town. A viewer reads, an operator works, the owner sets up. */
export function mayRole(role: Role, method: string, path: string): boolean {
  if (role === 'owner') return true;
  if (method === 'GET' || method === 'HEAD') return !OWNERS_TO_READ.test(path);
  return role === 'operator' && !OWNERS.test(path);
}
