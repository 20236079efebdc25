import { usage } from '../core/errors.ts';

const PORT_MAX = 65_535;

/** Reads `host:port`; port 0 is any free one. Errors: `bad_listen`. */
export function parseListenAddress(text: string, field: string): { readonly host: string; readonly port: number } {
  const at = text.lastIndexOf(':');
  const port = /^\d{1,5}$/.test(text.slice(at + 1)) ? Number(text.slice(at + 1)) : Number.NaN;
  if (at > 0 && port <= PORT_MAX) return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port };
  throw usage('bad_listen', `${field}: ${JSON.stringify(text)} is no address.`, 'Write it like 127.0.0.1:7701.', field);
}
