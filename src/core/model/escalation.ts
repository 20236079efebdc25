import type { EscalationId, RigName } from './ids.ts';

/** In order: an escalation that nobody acknowledges rises along this list. */
export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/**
 * Where an escalation is told. `log`: the daemon's log. `mayor`: mail to the mayor's mailbox. The others are sent by the
 * host, when the town's file names them.
 */
export const ROUTES = ['log', 'mayor', 'webhook', 'email', 'desktop'] as const;
export type Route = (typeof ROUTES)[number];

/** Routes that leave the town: effects, tried again and settled. */
export type OutsideRoute = Exclude<Route, 'log' | 'mayor'>;
export const isOutside = (route: Route): route is OutsideRoute => route !== 'log' && route !== 'mayor';

/**
 * `pending`: being sent, perhaps again after a failure. `sent`. `failed`: given up.
 * `off`: the town's file does not name it. `skipped`: somebody had acknowledged or resolved it before it was sent.
 */
export const ROUTE_STATES = ['pending', 'sent', 'failed', 'off', 'skipped'] as const;
export type RouteState = (typeof ROUTE_STATES)[number];

/** One telling over one route; a new round begins each time the escalation rises. */
export interface EscalationRoute {
  readonly round: number;
  readonly route: Route;
  readonly severity: Severity;
  readonly state: RouteState;
  readonly tries: number;
  readonly error: string | null;
  readonly atMs: number;
}

/** Something a person should know, once per cause: open, acknowledged by somebody, resolved by its cause or a person. */
export interface Escalation {
  readonly id: EscalationId;
  /** Null: the town itself. */
  readonly rig: RigName | null;
  readonly severity: Severity;
  readonly category: string;
  readonly message: string;
  readonly subject: string;
  readonly causeKey: string;
  readonly repeats: number;
  readonly acknowledgedAtMs: number | null;
  readonly acknowledgedBy: string | null;
  readonly resolvedAtMs: number | null;
  readonly resolvedBy: string | null;
  readonly resolution: string | null;
  /** The option that a person chose. */
  readonly decision: string | null;
  /** How often it rose because nobody acknowledged it. */
  readonly reEscalations: number;
  readonly nextEscalationAtMs: number | null;
  readonly createdAtMs: number;
}

const ROUTES_OF: Readonly<Record<Severity, readonly Route[]>> = {
  low: ['log'],
  medium: ['mayor'],
  high: ['mayor', 'webhook', 'email'],
  critical: ['mayor', 'webhook', 'email', 'desktop'],
};

export const routesOf = (severity: Severity): readonly Route[] => ROUTES_OF[severity];

/** One step up; the highest stays. */
export const raised = (severity: Severity): Severity =>
  SEVERITIES[Math.min(SEVERITIES.indexOf(severity) + 1, SEVERITIES.length - 1)] ?? severity;

/** One answer that a person may give, and what it does. */
export interface EscalationOption {
  readonly key: string;
  readonly name: 'retry' | 'cancel' | 'release' | 'skip' | 'abort';
  readonly what: string;
}

/** What an escalation is about, from its cause. */
export function causeOf(causeKey: string): { readonly kind: string; readonly id: string } {
  const colon = causeKey.indexOf(':');
  return { kind: causeKey.slice(0, colon), id: causeKey.slice(colon + 1) };
}
