import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { RunnerContext } from '../context.ts';
import { DEFAULT_TIMINGS } from '../limits.ts';
import type { AgentSession, SessionLink } from '../runtimes/session.ts';
import { RunnerDb } from '../store/db.ts';
import { AttemptStore } from '../store/attempts.ts';
import { FactStore } from '../store/facts.ts';
import { SaidStore } from '../store/said.ts';
import { SessionStore } from '../store/sessions.ts';
import { Conversation } from './conversation.ts';
import { LiveAgent } from './live.ts';
import { Transcript } from './transcript.ts';

const REQUEST = {
  attempt: 'at-1',
  epoch: 1,
  agent: 'app/polecats/a',
  rig: 'app',
  bead: 'app-1',
  runtime: 'codex',
  repo: { rig: 'app', url: '/x', targetBranch: 'main' },
};

/** The stores are real; the program is one that says what the test says. */
class Host {
  readonly folder = mkdtempSync(join(tmpdir(), 'gt-talk-'));
  readonly db = new RunnerDb(':memory:');
  readonly facts = new FactStore(this.db);
  readonly said = new SaidStore(this.db);
  readonly spoken: string[] = [];
  readonly answers: string[] = [];
  readonly errors: string[] = [];
  readonly lines: string[] = [];
  readonly stdin = new PassThrough();
  readonly live = new LiveAgent(REQUEST as never);
  nowMs = 1_000;
  isOpen = true;
  isFormer = false;
  link!: SessionLink;
  lineFails = false;
  readonly stdout = new PassThrough();
  readonly talk: Conversation;

  constructor(how: Partial<Pick<Host, 'isOpen' | 'isFormer'>> = {}) {
    Object.assign(this, how);
    const child = Object.assign(new EventEmitter(), { stdin: this.stdin, stdout: this.stdout, exitCode: 0 });
    const ctx = {
      timings: { ...DEFAULT_TIMINGS, exitRetryMs: 10 },
      clock: { now: () => this.nowMs },
      log: { info: () => undefined, warn: () => undefined, error: (text: string) => this.errors.push(text) },
      db: this.db,
      facts: this.facts,
      said: this.said,
      sessions: new SessionStore(this.db),
      attempts: new AttemptStore(this.db),
    };
    const isOpen = (): boolean => this.isOpen;
    const isFormer = (): boolean => this.isFormer;
    const session = (link: SessionLink): AgentSession => {
      this.link = link;
      return {
        get isOpen() {
          return isOpen();
        },
        get isFormer() {
          return isFormer();
        },
        begin: (text) => Promise.resolve(void this.spoken.push(text)),
        line: (text) => {
          if (this.lineFails) throw new Error('database or disk is full');
          this.lines.push(text);
        },
        say: (text) => Promise.resolve(void this.spoken.push(text)),
        answer: (id, isAllowed) => void this.answers.push(`${id} ${String(isAllowed)}`),
        cancel: () => Promise.resolve(),
      };
    };
    this.talk = new Conversation(ctx as unknown as RunnerContext, this.live, {
      child: child as unknown as ChildProcess,
      transcript: new Transcript(join(this.folder, 'out'), { now: () => this.nowMs } as never),
      cwd: '/w',
      session,
    });
    this.talk.begin('Work.');
  }

  turnEnds(): void {
    this.link.event({ type: 'turn_end', failure: null });
  }

  asks(id: string): void {
    this.link.event({ type: 'permission', id, title: `do ${id}` });
  }

  told(): readonly string[] {
    return this.facts.oldest('app').map((fact) => (fact.type === 'agent_event' ? fact.eventType : fact.type));
  }
}

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => {
  host.talk.over();
  rmSync(host.folder, { recursive: true, force: true });
});

it('reminds once of a turn that ends without a claim', () => {
  host.turnEnds();
  host.turnEnds();
  expect(host.spoken.length).toBe(2);
  expect(host.stdin.writableEnded).toBe(true);
});

it('begins no turn after one that a stop has ended', () => {
  host.live.end('stopped');
  host.turnEnds();
  expect(host.spoken).toEqual(['Work.']);
  expect(host.stdin.writableEnded).toBe(true);
});

it('says again what it asked for when a silent turn was ended before the model said anything', () => {
  vi.useFakeTimers();
  const heard = (said: boolean): string => {
    const of = new Host();
    try {
      of.link.event({ type: 'text', text: 'Welcome.' });
      of.link.event({ type: 'started', how: 'new session' });
      if (said) of.link.event({ type: 'text', text: 'I look.' });
      // What the program prints of itself is no sign of its model.
      vi.advanceTimersByTime(DEFAULT_TIMINGS.silenceMs - 1);
      of.link.event({ type: 'note', text: '[perf] event loop stall' });
      vi.advanceTimersByTime(2);
      of.turnEnds();
      return of.spoken.at(-1) ?? '';
    } finally {
      of.talk.over();
      rmSync(of.folder, { recursive: true, force: true });
    }
  };
  try {
    expect(heard(false)).toMatch(/^Nothing was heard from you[^]*Work\.$/);
    expect(heard(true)).toMatch(/Go on where you were\.$/);
  } finally {
    vi.useRealTimers();
  }
});

it('gives a slow start its own time, and then names the program or the former session, not the provider', () => {
  vi.useFakeTimers();
  const endOf = (isFormer: boolean): unknown => {
    const of = new Host({ isOpen: false, isFormer });
    try {
      vi.advanceTimersByTime(DEFAULT_TIMINGS.openMs - 1);
      expect([of.live.failure, of.stdin.writableEnded]).toEqual([null, false]);
      of.link.event({ type: 'note', text: 'Loading …' });
      vi.advanceTimersByTime(DEFAULT_TIMINGS.openMs - 1);
      expect(of.live.failure).toBe(null);
      vi.advanceTimersByTime(1);
      expect(of.stdin.writableEnded).toBe(true);
      expect(of.told()).toEqual([]);
      return of.live.failure;
    } finally {
      of.talk.over();
      rmSync(of.folder, { recursive: true, force: true });
    }
  };
  try {
    const message = 'The program was started, but opened no session within 300 s.';
    expect(endOf(false)).toMatchObject({ kind: 'start', message });
    expect(endOf(true)).toMatchObject({ kind: 'session', message });
  } finally {
    vi.useRealTimers();
  }
});

it('says words that must wait when the turn ends, once, before any reminder', async () => {
  const words = { key: 'k1', text: 'Mind the gap.' };
  await expect(host.talk.say(words, 'wait-idle', 'queue')).rejects.toMatchObject({ code: 'in_mid_turn' });
  await expect(host.talk.say(words, 'wait-idle', 'queue')).rejects.toMatchObject({ code: 'in_mid_turn' });
  host.turnEnds();
  expect(host.spoken).toEqual(['Work.', 'Mind the gap.']);
  expect(host.said.has('at-1', 'k1')).toBe(true);
  host.turnEnds();
  expect(host.spoken[2]).toMatch(/^Your turn has ended/);
});

it('leaves words to the mail that waited too long', async () => {
  await expect(host.talk.say({ key: 'k1', text: 'Late.' }, 'immediate', 'cancels')).rejects.toThrow();
  host.nowMs += 9 * 60_000;
  host.turnEnds();
  expect(host.spoken[1]).toMatch(/^Your turn has ended/);
  expect(host.said.has('at-1', 'k1')).toBe(false);
});

it('says nothing into a session that is not open yet', async () => {
  host.isOpen = false;
  await expect(host.talk.say({ key: 'k1', text: 'Early.' }, 'immediate', 'steer')).rejects.toMatchObject({
    code: 'in_mid_turn',
  });
  host.isOpen = true;
  await host.talk.say({ key: 'k1', text: 'Early.' }, 'immediate', 'steer');
  host.turnEnds();
  expect(host.spoken.filter((text) => text === 'Early.')).toEqual(['Early.']);
});

it('has two questions answered one after another, and a turn that ends with one says so', async () => {
  host.asks('a');
  host.asks('b');
  await host.talk.say({ key: 'k1', text: 'yes' }, 'immediate', 'queue');
  await host.talk.say({ key: 'k2', text: 'no' }, 'immediate', 'queue');
  expect(host.answers).toEqual(['a true', 'b false']);
  host.asks('c');
  host.turnEnds();
  expect(host.told()).toEqual(['waiting', 'answered', 'waiting', 'answered', 'waiting', 'answered']);
  expect(host.live.asks).toBe(false);
});

it('goes on when nothing can be stored, and stores it in order once it can', async () => {
  const record = vi.spyOn(host.facts, 'record').mockImplementation(() => {
    throw new Error('database or disk is full');
  });
  host.asks('a');
  host.turnEnds();
  host.talk.over();
  host.lineFails = true;
  host.stdout.write('{}\n');
  await vi.waitFor(() => {
    expect(host.errors.length).toBeGreaterThan(2);
  });
  record.mockRestore();
  await vi.waitFor(() => {
    expect(host.told()).toEqual(['waiting', 'answered']);
  });
});
