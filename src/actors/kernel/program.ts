import type { Ref } from '../../core/refs.ts';
import type { InboxEvent, NewEvent, OutboxRow } from '../../store/kernel-store.ts';
import type { Migration } from '../../store/migrate.ts';
import type { Turn } from './turn.ts';

/** How much the safety net has to watch: live work, only waiting rows, or nothing at all. */
export type Activity = 'active' | 'waiting' | 'none';

/** What became of one performed effect. */
export type EffectOutcome =
  /** It happened (or was not needed any more); `event` carries the result back as a fact. */
  | { readonly state: 'done'; readonly event?: NewEvent }
  /** The receiver works on it and reports by a fact; asked again when the poll is due. */
  | { readonly state: 'accepted' }
  /** It may not have happened; it is tried again with back-off, or at `atMs`. */
  | { readonly state: 'retry'; readonly error: string; readonly atMs?: number }
  /** It will never happen; the fact says why. */
  | { readonly state: 'failed'; readonly error: string; readonly event?: NewEvent };

/** Effects that hang together when one service elsewhere does: at most `max` of this kind are in flight at once. */
export interface SlowKind {
  readonly kind: string;
  readonly max: number;
}

/** Entities that are asked about together, at most `max` at once; their names begin with `prefix`. */
export interface ObservedKind {
  readonly prefix: string;
  readonly max: number;
}

/** What makes the kernel a town or a rig. Everything but `perform` and `observe` is synchronous and inside the turn. */
export interface Program {
  readonly migrations: readonly Migration[];
  readonly slow?: SlowKind;
  /** Kinds of entities that are asked about apart; without it all are asked about together. */
  readonly observes?: readonly ObservedKind[];
  /** Applies one fact. Throwing makes the kernel try again and finally quarantine the event. */
  applyEvent(turn: Turn, event: InboxEvent): void;
  /** Lets the rules look at one entity and applies what they decide; answers when to look again. */
  reconcile(turn: Turn, ref: Ref): number | null;
  /** An event or an entity that this program can't read; makes it visible and lets others go on. */
  quarantined(turn: Turn, subject: string, error: string): void;
  /** All entities that are not at rest: what a restart and the safety net look at. */
  liveRefs(): readonly Ref[];
  activity(): Activity;
  /** Puts away what nobody needs any more, a bounded part of it; true when more is left. */
  collect?(turn: Turn): boolean;
  perform(row: OutboxRow): Promise<EffectOutcome>;
  /** Asks the outside about entities whose observation is due. Never throws: no answer is an observation too. */
  observe(entities: readonly Ref[]): Promise<Observation>;
}

/** What was seen: facts that differ from what is stored, and when to look at the others again. */
export interface Observation {
  readonly events: readonly NewEvent[];
  readonly again: ReadonlyMap<Ref, number>;
}
