/** Versions over HTTP: `ETag` on what may be changed, `If-Match` on the change (RFC 9110). */
import { z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { usage } from '../core/errors.ts';
import type { AppEnv } from './auth.ts';
import type { App } from './handlers/shared.ts';

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Declares that a change honours `If-Match`. The version reaches it with the caller, and is looked at where it changes. */
export const ifMatch = {
  headers: z.object({
    'if-match': z.string().optional().openapi({
      description: 'ETag of what was read; another version by now is answered with 412 and changes nothing',
    }),
  }),
} as const;

export const etag = (tag: string): { readonly ETag: string } => ({ ETag: `"${tag}"` });

/** Where it could not be kept, it is refused, not passed over: who sends it relies on it. Errors: `no_if_match_here`. */
export function refuseUnkept(app: App): MiddlewareHandler<AppEnv> {
  let kept: readonly { readonly method: string; readonly path: RegExp }[] | null = null;
  return async (c, next) => {
    if (c.req.header('if-match') !== undefined && !READS.has(c.req.method)) {
      kept ??= keptBy(app);
      if (!kept.some(({ method, path }) => method === c.req.method && path.test(c.req.path)))
        throw usage(
          'no_if_match_here',
          'This call changes no version of one thing, so If-Match means nothing here.',
          'Leave the header out; /openapi.json says which calls take it.',
          'If-Match',
        );
    }
    await next();
  };
}

function keptBy(app: App): readonly { readonly method: string; readonly path: RegExp }[] {
  return app.openAPIRegistry.definitions.flatMap((one) => {
    if (one.type !== 'route' || one.route.request?.headers !== ifMatch.headers) return [];
    const path = new RegExp(`^${one.route.path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`);
    return [{ method: one.route.method.toUpperCase(), path }];
  });
}
