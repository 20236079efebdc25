import type { NewMail } from './model/mail.ts';
import type { MayorOutcome } from './model/mayor.ts';
import type { RunnerFacts } from './model/runner.ts';
import type { AttemptId } from './model/ids.ts';

/** What the mayor's rules decide. Each is guarded by what it names. */
export type MayorAction =
  /** Takes the waiting messages, in order and bounded, into a new sitting. */
  | { readonly type: 'open_sitting' }
  /** Next epoch, a process for the open sitting, at that runner. */
  | { readonly type: 'start_mayor'; readonly sitting: number | null; readonly runner: string }
  | {
      readonly type: 'end_mayor_attempt';
      readonly attempt: AttemptId;
      readonly outcome: MayorOutcome;
      readonly reason: string;
    }
  | {
      readonly type: 'stop_mayor';
      readonly attempt: AttemptId;
      readonly epoch: number;
      readonly mode: 'graceful' | 'now';
    }
  /** Nobody will ever report this process again. */
  | { readonly type: 'mayor_gone'; readonly attempt: AttemptId }
  /** Counts a process that brought nothing; `charged` also against the sitting. */
  | {
      readonly type: 'count_failure';
      readonly sitting: number;
      readonly failures: number;
      readonly charged: boolean;
      readonly notBeforeMs: number;
    }
  | { readonly type: 'clear_failures' }
  /** `gave_up`: its open messages stay unanswered, and a person hears of it. */
  | { readonly type: 'close_sitting'; readonly sitting: number; readonly outcome: 'done' | 'gave_up' }
  | {
      readonly type: 'tell_people';
      readonly causeKey: string;
      readonly severity: 'medium' | 'high';
      readonly message: string;
    }
  | { readonly type: 'untell_people'; readonly causeKey: string };

/** Messages of the mayor actor to the town actor. */
export type MayorToTown =
  /** Whether mail to `mayor/` is the mayor's, or is read by people. */
  | { readonly type: 'mayor_presence'; readonly present: boolean }
  | { readonly type: 'mail_sent'; readonly mail: NewMail }
  | {
      readonly type: 'escalation_raised';
      readonly causeKey: string;
      readonly severity: 'low' | 'medium' | 'high' | 'critical';
      readonly category: string;
      readonly subject: string;
      readonly text: string;
    }
  | { readonly type: 'escalation_resolved'; readonly causeKey: string };

/** Messages of the town actor to the mayor actor. */
export type TownToMayor =
  | { readonly type: 'deliver_mail'; readonly mail: NewMail }
  /** All runners of the town as they are now. */
  | { readonly type: 'runners_changed'; readonly runners: readonly RunnerFacts[] };
