import { z } from 'zod';
import { ROUTES, ROUTE_STATES, SEVERITIES } from '../../core/model/escalation.ts';
import { count, name, reason, time } from './common.ts';

export const severity = z.enum(SEVERITIES);

export const escalationSchema = z.object({
  id: z.string(),
  status: z.enum(['open', 'acknowledged', 'resolved']),
  rig: z.string().nullable(),
  severity,
  category: z.string(),
  message: z.string(),
  subject: z.string(),
  repeats: count,
  created_at: time,
  acknowledged_at: time.nullable(),
  acknowledged_by: z.string().nullable(),
  resolved_at: time.nullable(),
  resolved_by: z.string().nullable(),
  resolution: z.string().nullable(),
  /** The option that was chosen. */
  decision: z.string().nullable(),
  /** How often it rose because nobody acknowledged it, and when it rises next. */
  rises: count,
  rises_at: time.nullable(),
  /** How it was told; a route that failed says why. */
  routes: z.array(
    z.object({
      round: count,
      route: z.enum(ROUTES),
      severity,
      status: z.enum(ROUTE_STATES),
      tries: count,
      error: z.string().nullable(),
      at: time,
    }),
  ),
  /** What may be answered now, and what each answer does. */
  options: z.array(z.object({ key: z.string(), name: z.string(), what: z.string() })),
});
export type EscalationItem = z.infer<typeof escalationSchema>;
export const escalationPageSchema = z.object({ items: z.array(escalationSchema), next: z.string().nullable() });
export const escalationQuerySchema = z.strictObject({ all: z.enum(['true', 'false']).optional() });
export const resolveEscalationSchema = z.strictObject({ note: reason.optional() });
export const decideEscalationSchema = z.strictObject({ option: name });
