/** `gt why` for what is neither bead, agent nor convoy: rigs, the runner, escalations, mail. */
import { isClosedToDispatch, isTripped } from './breaker-scope.ts';
import { RIG_SCOPE } from './model/breaker.ts';
import type { Health } from './model/health.ts';
import type { Attempt } from './model/agent.ts';
import { LOCAL_RUNNER } from './model/runner.ts';
import { DAEMON_SUBJECT, RUNNER_SUBJECT } from './model/health.ts';
import type { Mail } from './model/mail.ts';
import type { StoppedTrain } from './model/train.ts';
import type { RefusedSettings } from './refused-settings.ts';
import type { RunnerTrouble } from './runner-trouble.ts';
import type { EscalationSummary, RigSummary, Why } from './queries.ts';
import { hasPassword, withoutLogin } from './remote-url.ts';
import { asSentence } from './sentence.ts';
import { brokenText } from './rules/dispatch-breaker.ts';
import { counted, duration } from './text.ts';
import { pausedBy, pausedText } from './why-train.ts';
import type { BreakerFacts, RigView } from './view.ts';

type Said = Omit<Why, 'command' | 'wakeAtMs'> & Partial<Pick<Why, 'command' | 'wakeAtMs'>>;

const say = (said: Said): Why => ({ command: null, wakeAtMs: null, ...said, sentence: asSentence(said.sentence) });

/** The word for how a rig stands, as `gt rig list` has it. */
export function rigState(view: RigView, nowMs: number): RigSummary['status'] {
  if (view.config().parked) return view.isDraining() ? 'draining' : 'parked';
  return isClosedToDispatch(view.breaker(RIG_SCOPE), nowMs) ? 'breaker_open' : 'ready';
}

/** What is said of a rig because of one breaker; the rig's own stops all of it, another a part. */
export function whyBroken(view: RigView, breaker: BreakerFacts, nowMs: number): Why {
  return say({
    id: `rig:${view.config().name}`,
    state: rigState(view, nowMs),
    sentence: brokenText(view, breaker),
    rule: 'dispatch-breaker',
    sinceMs: breaker.openedAtMs,
    next: 'When the wait is over, the next bead that needs it is a probe; it goes by itself.',
    command: 'gt doctor',
    wakeAtMs: breaker.retryAtMs > nowMs ? breaker.retryAtMs : null,
  });
}

/** What is said of a rig because a person paused one of its merge trains. */
export function whyPaused(view: RigView, train: StoppedTrain, nowMs: number): Why {
  const { name } = view.config();
  const count = train.waiting === 0 ? 'nothing waits' : `${counted(train.waiting, 'waits', 'wait')} in line`;
  return say({
    id: `rig:${name}`,
    state: rigState(view, nowMs),
    ...pausedText(view, train, nowMs),
    sinceMs: train.changedAtMs,
    sentence: `The merge train of ${pausedBy(train, nowMs)}; ${count}.`,
  });
}

/** What is said of a rig whose address holds a login, as settings of an older program may; no new one is taken. */
export function whyPassword(view: RigView, nowMs: number): Why {
  const { name, url } = view.config();
  return say({
    id: `rig:${name}`,
    state: rigState(view, nowMs),
    sentence: `The address of ${name} has a password or token in it, which gastown.toml, each backup and each list of rigs show.`,
    rule: 'settings',
    sinceMs: null,
    next: `A person gives it to git's credential helper, sets ${withoutLogin(url)}, and has the host make a new one: copies have this one.`,
    command: `gt config set rigs.${name}.url <address>`,
  });
}

/** `waiting`: beads and merge requests of it that are neither held nor ended. */
export function whyRig(view: RigView, waiting: number, nowMs: number, trains: readonly StoppedTrain[] = []): Why {
  const { name, url } = view.config();
  const state = rigState(view, nowMs);
  const common = { id: `rig:${name}`, state, sinceMs: null };
  if (state === 'parked')
    return say({
      ...common,
      sentence: `${name} is parked: nothing of it is started, ${countOf(waiting)}.`,
      rule: 'assign-work',
      next: 'A person takes it out of parking.',
      command: `gt rig unpark ${name}`,
    });
  const paused = trains.find((train) => train.state === 'paused');
  if (state === 'draining' && paused === undefined)
    return say({
      ...common,
      sentence: `${name} is drained before its removal: what is in its merge line ends, with its rework, and what has not started is cancelled then; ${countOf(waiting)}.`,
      rule: 'assign-work',
      next: 'The command goes on, and names what it waits for; "gt rig unpark" takes it back.',
      command: `gt rig remove ${name} --drain`,
    });
  // The rig's own is the first.
  const [worst] = view.breakers().filter(isTripped);
  if (worst !== undefined) return whyBroken(view, worst, nowMs);
  if (paused !== undefined) return whyPaused(view, paused, nowMs);
  if (waiting === 0 && hasPassword(url)) return whyPassword(view, nowMs);
  return whyAtWork(view, waiting, common);
}

/** Nothing is in its way. */
function whyAtWork(view: RigView, waiting: number, common: Pick<Why, 'id' | 'state' | 'sinceMs'>): Why {
  const { name, polecatsMax } = view.config();
  const taken = view.slotsTaken();
  if (waiting === 0 && taken === 0)
    return say({
      ...common,
      sentence: `${name} has nothing to do.`,
      rule: 'assign-work',
      next: 'Work is slung.',
      command: `gt sling "<title>" --rig ${name}`,
    });
  return say({
    ...common,
    sentence: `${name} works: ${String(taken)} of ${String(polecatsMax)} polecats are taken, ${waiting === 0 ? 'no bead waits' : countOf(waiting)}.`,
    rule: 'assign-work',
    next: waiting === 0 ? 'An agent is done.' : 'A polecat is free, or what beads wait for is done.',
  });
}

const countOf = (waiting: number): string => counted(waiting, 'bead waits', 'beads wait');

/** The town's file was changed to something that the town can't take: it goes on with what it had, or does not start. */
export const whyRefusedSettings = (refused: RefusedSettings): Why =>
  say({
    id: DAEMON_SUBJECT,
    state: 'needs_human',
    sentence: `The settings in gastown.toml are not in force: ${refused.message} ${refused.next}`,
    rule: 'settings',
    sinceMs: refused.sinceMs,
    // A reload before the file was corrected is refused again, so it is no command to run now.
    next: 'A person corrects gastown.toml; then: gt daemon reload.',
    command: null,
  });

/** `answers`: it is the daemon itself that says this; otherwise somebody reads its files without it. */
export const whyDaemon = (answers: boolean, refused: RefusedSettings | null = null): Why =>
  refused !== null
    ? whyRefusedSettings(refused)
    : answers
      ? say({
          id: DAEMON_SUBJECT,
          state: 'up',
          sentence: 'The daemon runs: it answered this question.',
          rule: 'watchdog',
          sinceMs: null,
          next: 'Nothing; "gt daemon status" shows since when.',
        })
      : say({
          id: DAEMON_SUBJECT,
          state: 'down',
          sentence: 'The daemon does not run, so nothing is decided; what is recorded can still be read.',
          rule: 'watchdog',
          sinceMs: null,
          next: 'A person starts it.',
          command: 'gt up',
        });

/** The runner as the watchdog knows it, or why its host can't start it. */
export function whyRunner(health: Health | null, trouble: RunnerTrouble | null = null): Why {
  const common = { id: RUNNER_SUBJECT, rule: 'watchdog' };
  if (trouble !== null)
    return say({
      ...common,
      state: 'down',
      sentence: `The runner beside the daemon does not start (tried ${times(trouble.starts)}): ${trouble.cause}`,
      sinceMs: trouble.sinceMs,
      next: 'A person mends the cause; the daemon tries again by itself, and what waits for it goes on then.',
      command: 'gt doctor',
    });
  switch (health?.state) {
    case 'down':
    case 'suspect':
      return say({
        ...common,
        state: health.state,
        sentence: `The runner has not answered ${times(health.missed)}: ${health.detail ?? 'no answer'}`,
        sinceMs: health.answeredAtMs ?? health.askedAtMs,
        next: 'It answers, or the daemon starts another.',
        command: 'gt doctor',
      });
    case 'ok':
      return say({
        ...common,
        state: 'up',
        sentence: 'The runner answered when it was asked last.',
        sinceMs: health.answeredAtMs,
        next: 'Nothing; it is asked while something runs.',
      });
    default:
      return say({
        ...common,
        state: 'unknown',
        sentence: 'The runner was not asked lately: it is asked every few minutes while something runs.',
        sinceMs: null,
        next: 'Work starts.',
      });
  }
}

/** A bead that waits for a runner which does not start says so; what else it says stays. */
export function whyAtRunner(
  why: Why,
  attempts: readonly Pick<Attempt, 'endedAtMs' | 'runningAtMs' | 'runner'>[],
  trouble: RunnerTrouble | null,
): Why {
  const waits = attempts.some(
    ({ endedAtMs, runningAtMs, runner }) => endedAtMs === null && runningAtMs === null && runner === LOCAL_RUNNER,
  );
  if (trouble === null || !waits) return why;
  const { sentence, next, command } = whyRunner(null, trouble);
  return { ...why, sentence: `${why.sentence} ${sentence}`, next, command };
}

const times = (count: number): string => (count === 1 ? 'once' : `${String(count)} times in a row`);

export function whyEscalation(item: EscalationSummary): Why {
  const common = { id: item.id, state: item.status, rule: 'escalation', sinceMs: item.createdAtMs };
  if (item.resolvedAtMs !== null)
    return say({
      ...common,
      sentence: `Resolved by ${item.resolvedBy ?? 'its cause'}: ${item.resolution ?? item.message}`,
      sinceMs: item.resolvedAtMs,
      next: null,
    });
  // What is printed as a command is pasted: of several answers none is, and each is named whole below.
  const command =
    item.options.length > 0 ? null : `gt escalation ${item.acknowledgedAtMs === null ? 'ack' : 'resolve'} ${item.id}`;
  const choices = item.options
    .map(({ key, name, what }) => `${key} ${name}: ${what} ("gt escalation decide ${item.id} ${key}")`)
    .join(' ');
  const cares =
    item.acknowledgedBy === null
      ? item.nextEscalationAtMs === null
        ? 'A person takes care of it.'
        : `A person takes care of it, or it rises after ${duration(item.nextEscalationAtMs - item.createdAtMs)}.`
      : `${item.acknowledgedBy} takes care of it.`;
  return say({
    ...common,
    sentence: item.message,
    next: choices === '' ? cares : `${cares} ${choices}`,
    command,
    wakeAtMs: item.acknowledgedBy === null ? item.nextEscalationAtMs : null,
  });
}

export const whyMail = (mail: Mail): Why =>
  say({
    id: mail.id,
    state: mail.readAtMs === null ? 'unread' : 'read',
    sentence: `Mail from ${mail.from} to ${mail.to}: ${mail.subject}`,
    rule: 'mail-expiry',
    sinceMs: mail.createdAtMs,
    next: mail.readAtMs === null ? 'Somebody reads it, or it goes back to its sender.' : null,
    command: `gt mail read ${mail.id}`,
  });
