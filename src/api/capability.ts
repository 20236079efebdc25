import { decodeJwt, errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { TownError } from '../core/errors.ts';
import { parseAgentId, parseAttemptId, parseBeadId, parseRigName } from '../core/model/ids.ts';
import type { Capability, MayorCapability } from '../core/queries.ts';

const ALGORITHM = 'HS256';
const ISSUER = 'gastown';
const MS_PER_SECOND = 1_000;

const mayorClaims = z.object({
  role: z.literal('mayor'),
  town: z.string(),
  attempt: z.string(),
  epoch: z.number().int().positive(),
  sitting: z.number().int().positive(),
  verbs: z.array(z.string()),
  exp: z.number(),
});
const claims = z.object({
  town: z.string(),
  rig: z.string(),
  agent: z.string(),
  bead: z.string(),
  attempt: z.string(),
  epoch: z.number().int().positive(),
  verbs: z.array(z.string()),
  exp: z.number(),
});

/** Signs what one attempt may do. The token is worth nothing once its attempt is not the live one of its bead. */
export async function mintCapability(capability: Capability | MayorCapability, key: string): Promise<string> {
  const { expiresAtMs, ...rest } = capability;
  return new SignJWT({ ...rest })
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
    .setIssuer(ISSUER)
    .setAudience(capability.town)
    .setExpirationTime(Math.ceil(expiresAtMs / MS_PER_SECOND))
    .sign(new TextEncoder().encode(key));
}

/** True for a token that says to be of a session of the town, which calls what people call; whether it is, is checked where it is used. */
export function saysSession(authorization: string | null): boolean {
  try {
    return decodeJwt(authorization?.replace(/^Bearer /, '') ?? '')['role'] === 'mayor';
  } catch {
    return false;
  }
}

export interface VerifyCapability {
  readonly token: string;
  readonly key: string;
  readonly town: string;
  readonly nowMs: number;
}

/** Checks signature, town and expiry. Errors: `capability_expired`, `bad_credential`. */
export async function verifyCapability(input: VerifyCapability): Promise<Capability | MayorCapability> {
  try {
    const { payload } = await jwtVerify(input.token, new TextEncoder().encode(input.key), {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: input.town,
      currentDate: new Date(input.nowMs),
      requiredClaims: ['exp'],
    });
    if (payload['role'] === 'mayor') return mayorOf(mayorClaims.parse(payload));
    const read = claims.parse(payload);
    return {
      town: read.town,
      rig: parseRigName(read.rig),
      agent: parseAgentId(read.agent),
      bead: parseBeadId(read.bead),
      attempt: parseAttemptId(read.attempt),
      epoch: read.epoch,
      verbs: read.verbs,
      expiresAtMs: read.exp * MS_PER_SECOND,
    };
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      throw new TownError('unauthenticated', 'capability_expired', {
        message: 'The token of this attempt has expired.',
        next: 'Stop working: the town gives the bead to a new attempt.',
      });
    }
    throw badCredential(error);
  }
}

const mayorOf = (read: z.infer<typeof mayorClaims>): MayorCapability => ({
  role: 'mayor',
  town: read.town,
  attempt: parseAttemptId(read.attempt),
  epoch: read.epoch,
  sitting: read.sitting,
  verbs: read.verbs,
  expiresAtMs: read.exp * MS_PER_SECOND,
});

/** One answer for every credential that is not ours, so that nothing can be learnt from it. */
export function badCredential(cause?: unknown): TownError {
  return new TownError(
    'unauthenticated',
    'bad_credential',
    {
      message: 'The credential is not one of this town.',
      next: 'Use "gt" inside the town: it reads the owner token by itself.',
    },
    cause === undefined ? {} : { cause },
  );
}
