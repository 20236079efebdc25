import type { AttemptId } from './ids.ts';
import type { Price } from '../prices.ts';
import type { RuntimePreset } from '../runtime-presets.ts';
import type { RunnerFacts } from './runner.ts';
import type { RigShield } from './isolation.ts';

/** Identity and mail address of the mayor. */
export const MAYOR = 'mayor/';
/** Address of the mayor's actor; never the name of a rig's. */
export const MAYOR_ADDRESS = 'mayor';
/** Stands for rig and bead in orders to the runner and in its facts: no rig can have it, since rig names are lower case. */
export const MAYOR_SCOPE = 'MAYOR';

/** Everything about the mayor's process that rules and effects read; from the town's file. */
export interface MayorConfig {
  readonly runtime: string;
  readonly model: string | null;
  /** For the runtime `command`: the program as one shell line. */
  readonly command: string | null;
  readonly wallClockMs: number;
  readonly ownerEmail: string;
  /** What the town's file says of the runtime; missing: a runner knows it by itself. */
  readonly preset?: RuntimePreset | undefined;
  /** Prices of the town, by the start of a model's name; missing in settings of an older program. */
  readonly prices?: Readonly<Record<string, Price>> | undefined;
  /** Isolation and limits, as `[defaults]` say; missing in settings of an older program. */
  readonly shield?: RigShield | undefined;
}

/** What a person wants: `stopped` keeps messages and mail, and starts nothing. */
export const MAYOR_WISHES = ['running', 'stopped'] as const;
export type MayorWish = (typeof MAYOR_WISHES)[number];

/**
 * `stopped`: by a person, or not configured. `waiting`: nothing to do, or not yet. `starting`: a process was ordered.
 * `working`: it runs. Derived from what is stored, so that it can't contradict it.
 */
export type MayorStatus = 'stopped' | 'starting' | 'working' | 'waiting';

/** `waiting`: not shown to a process. `shown`: in the open sitting. The last two are final. */
export const MAYOR_MESSAGE_STATES = ['waiting', 'shown', 'answered', 'unanswered'] as const;
export type MayorMessageState = (typeof MAYOR_MESSAGE_STATES)[number];

/** One message of the conversation, with its answer. `seq` is its place: the order of arrival, without gaps. */
export interface MayorMessage {
  readonly seq: number;
  readonly from: string;
  readonly text: string;
  readonly state: MayorMessageState;
  /** The sitting that it was given to; once, for ever. */
  readonly sitting: number | null;
  readonly reply: string | null;
  readonly createdAtMs: number;
  readonly settledAtMs: number | null;
}

/** How one process of the mayor ended. Only the first three say that it works or does not. */
export const MAYOR_OUTCOMES = ['done', 'no_answer', 'error', 'infra', 'evicted'] as const;
export type MayorOutcome = (typeof MAYOR_OUTCOMES)[number];

/** One process of the mayor. */
export interface MayorAttempt {
  readonly id: AttemptId;
  readonly epoch: number;
  readonly sitting: number;
  readonly startedAtMs: number;
  readonly runningAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly outcome: MayorOutcome | null;
  readonly reason: string | null;
  readonly processGone: boolean;
  /** How it ended, when it did by itself. */
  readonly exit: MayorExit | null;
  readonly contactLostAtMs: number | null;
  /** Where it runs, by the runner's name. */
  readonly runner: string;
}

/** What an exit record says about the mayor; without one the process is gone all the same. */
export interface MayorExit {
  readonly cause: string;
  readonly exitCode: number | null;
  readonly lastLine: string;
}

/** Messages and mail that were given to a process together. It stays open until it is answered or given up. */
export interface Sitting {
  readonly number: number;
  /** Processes that ended without answering; not counted are those that the machine or a person ended. */
  readonly failures: number;
  readonly openMessages: number;
  readonly messages: number;
  /** When its last message was answered. */
  readonly answeredAtMs: number | null;
}

/** What the mayor's rules look at. */
export interface MayorFacts {
  readonly isConfigured: boolean;
  readonly wish: MayorWish;
  /** Processes in a row that brought nothing, whatever the cause; at the limit the breaker is open. */
  readonly failures: number;
  readonly notBeforeMs: number;
  readonly isEscalated: boolean;
  /** The process that has not ended or is not proven gone. */
  readonly attempt: MayorAttempt | null;
  /** The open sitting. */
  readonly sitting: Sitting | null;
  readonly waitingMessages: number;
  /** Unread mails that no process was shown. */
  readonly newMail: number;
  /** As the town told last. */
  readonly runners: readonly RunnerFacts[];
  readonly hasLocalRunner: boolean;
  /** Where the last process was; null before the first. */
  readonly lastRunner: string | null;
}

export function mayorStatus(facts: Pick<MayorFacts, 'isConfigured' | 'wish' | 'attempt'>): MayorStatus {
  if (facts.attempt !== null && facts.attempt.endedAtMs === null)
    return facts.attempt.runningAtMs === null ? 'starting' : 'working';
  return facts.isConfigured && facts.wish === 'running' ? 'waiting' : 'stopped';
}
