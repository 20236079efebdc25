import { readFileSync, statSync } from 'node:fs';

/** A secret of a service is short; a larger file is the wrong one. */
const SECRET_BYTES_MAX = 16 * 1024;

/** Reads `env:NAME` or `file:/path`. Throws an error that names the place and never what is in it. */
export function readSecret(reference: string, env: NodeJS.ProcessEnv): string {
  const value = reference.startsWith('env:')
    ? env[reference.slice('env:'.length)]
    : readSmallFile(reference.slice('file:'.length));
  if (value === undefined || value.trim() === '') throw new Error(`there is no secret at ${reference}`);
  return value.trim();
}

function readSmallFile(path: string): string | undefined {
  try {
    return statSync(path).size > SECRET_BYTES_MAX ? undefined : readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
