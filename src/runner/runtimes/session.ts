import type { UsageOfModel } from '../../core/facts.ts';

/** Of a tool's output that is shown. */
export const OUTPUT_CHARS_MAX = 2_000;

/** What an agent's program says, whichever it is. */
export type AgentEvent =
  /** It has begun; `how` says what it works with: model, permissions. */
  | { readonly type: 'started'; readonly how: string }
  | { readonly type: 'text'; readonly text: string }
  /** `isPending`: what it will do is not known yet; another one follows when it is, or when it is over. */
  | { readonly type: 'tool_start'; readonly id: string; readonly title: string; readonly isPending?: boolean }
  | { readonly type: 'tool_end'; readonly id: string; readonly ok: boolean; readonly output: string }
  /** It asks whether it may; it waits for `AgentSession.answer`. */
  | { readonly type: 'permission'; readonly id: string; readonly title: string }
  /** Its model did not answer; it tries again by itself. */
  | { readonly type: 'retry'; readonly reason: string; readonly inMs: number | null; readonly isLimit: boolean }
  /**
   * Everything the session has used since this process began: totals, by model. `cost`: of the whole session, all its
   * processes, in millionths of a US dollar; null where the program says none.
   */
  | { readonly type: 'usage'; readonly models: readonly UsageOfModel[]; readonly cost: number | null }
  /** What it works on is over; it waits for words. */
  | { readonly type: 'turn_end'; readonly failure: Failure | null }
  /** The program's own chatter, outside of its protocol. */
  | { readonly type: 'note'; readonly text: string };

/**
 * Why a turn ended badly. `limit`: no quota. `provider`: the model's service failed. `login`: it is not logged in.
 * `start`: it opened no session. `session`: the former session can't be taken up. `other`: anything else; it is the agent's.
 */
export interface Failure {
  readonly kind: 'limit' | 'provider' | 'login' | 'start' | 'session' | 'other';
  readonly message: string;
  readonly resetsAtMs: number | null;
}

/** A session that a new process takes up. */
export interface FormerSession {
  readonly id: string;
  /** What attempts before were charged of what it cost, in millionths of a US dollar; null: not known. */
  readonly counted: number | null;
}

/** What a session needs of its surroundings. */
export interface SessionLink {
  /** Writes one line to the program's standard input. */
  send(line: string): void;
  event(event: AgentEvent): void;
  /** The session's id, to be durable before the first prompt. */
  identified(id: string): void;
}

/** A conversation with one process of an agent's program: it turns its protocol into events. */
export interface AgentSession {
  /** Everything before the first prompt, and the prompt. */
  begin(prompt: string): Promise<void>;
  /** One line of the program's standard output. */
  line(text: string): void;
  /** False before the first prompt: nothing may be said yet. */
  readonly isOpen: boolean;
  /** It takes up a former session. */
  readonly isFormer: boolean;
  /** Words of somebody; between turns they begin one. */
  say(text: string): Promise<void>;
  /** A person's answer to a `permission`. */
  answer(id: string, isAllowed: boolean, words: string): void;
  /** Ends the turn and its tools by the protocol; the process lives on. */
  cancel(): Promise<void>;
}

/** Texts by which providers say why they refuse; foreign programs pass them on in words only. */
const KINDS: readonly (readonly [Failure['kind'], RegExp])[] = [
  ['limit', /\b429\b|rate.?limit|usage limit|quota|resource.?exhausted|too many requests|out of credits/i],
  [
    'login',
    /\b401\b|unauthori[sz]ed|not logged in|please (?:log ?in|run .*login)|invalid (?:x-)?api.?key|authentication/i,
  ],
  [
    'provider',
    /\b5\d\d\b|overloaded|high demand|internal server error|server_error|bad gateway|timed? ?out|^terminated|connection|stream|socket|fetch failed|\bin JSON at position\b|end of JSON input|is not valid JSON|JSON pars(?:e error|ing failed)/i,
  ],
];

/** What a failure in words is about. */
export function failureOf(message: string, resetsAtMs: number | null = null): Failure {
  const kind = KINDS.find(([, pattern]) => pattern.test(message))?.[0] ?? 'other';
  return { kind, message, resetsAtMs };
}
