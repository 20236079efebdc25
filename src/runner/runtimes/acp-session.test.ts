import { describe, expect, it } from 'vitest';
import { RUNTIME_PRESETS, type RuntimePreset } from '../../core/runtime-presets.ts';
import { AcpSession } from './acp-session.ts';
import type { AgentEvent } from './session.ts';

interface Sent {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: unknown;
}

/** An agent that answers each call by its method, with a result or an error. */
function open(
  how: { preset?: Partial<RuntimePreset>; resume?: string; answers?: Record<string, unknown>; model?: string } = {},
): {
  readonly session: AcpSession;
  readonly sent: Sent[];
  readonly events: AgentEvent[];
  readonly ids: string[];
  readonly update: (update: unknown) => void;
} {
  const base = RUNTIME_PRESETS['codex'];
  if (base === undefined) throw new Error('codex is a preset');
  const sent: Sent[] = [];
  const events: AgentEvent[] = [];
  const ids: string[] = [];
  const answers: Record<string, unknown> = {
    'session/new': { result: { sessionId: 's1' } },
    'session/prompt': { result: { stopReason: 'end_turn', usage: { inputTokens: 7, outputTokens: 2 } } },
    ...how.answers,
  };
  const session: AcpSession = new AcpSession(
    {
      send: (line) => {
        const message = JSON.parse(line) as Sent;
        sent.push(message);
        const answer = answers[message.method ?? ''] ?? { result: {} };
        if (message.id !== undefined && message.method !== undefined && answer !== 'never')
          session.line(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...(answer as object) }));
      },
      event: (event) => events.push(event),
      identified: (id) => ids.push(id),
    },
    {
      preset: { ...base, ...how.preset },
      cwd: '/w',
      resume: how.resume === undefined ? null : { id: how.resume, counted: null },
      model: how.model ?? null,
      mcpServers: [],
    },
  );
  const update = (data: unknown): void => {
    session.line(
      JSON.stringify({ jsonrpc: '2.0', method: 'session/update', params: { sessionId: 's1', update: data } }),
    );
  };
  return { session, sent, events, ids, update };
}

const methods = (sent: readonly Sent[]): readonly (string | undefined)[] => sent.map((each) => each.method);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('an agent that speaks ACP', () => {
  it('has its id stored before its first prompt, and its mode set', async () => {
    const { session, sent, ids, events } = open();
    await session.begin('Work.');
    await settled();
    expect(methods(sent)).toEqual(['initialize', 'session/new', 'session/set_mode', 'session/prompt']);
    expect(sent[2]?.params).toEqual({ sessionId: 's1', modeId: 'agent-full-access' });
    expect(ids).toEqual(['s1']);
    expect(events.at(-1)).toEqual({ type: 'turn_end', failure: null });
    expect(events.find((event) => event.type === 'usage')).toMatchObject({ models: [{ tokensIn: 7, tokensOut: 2 }] });
  });

  it('takes no words before its session is open', async () => {
    const { session } = open({ answers: { 'session/new': 'never' } });
    void session.begin('Work.');
    await settled();
    expect(session.isOpen).toBe(false);
    const other = open();
    await other.session.begin('Work.');
    expect(other.session.isOpen).toBe(true);
  });

  it('has its restrictions again when it is resumed (T42)', async () => {
    const bypass = open({ resume: 'old' });
    await bypass.session.begin('Go on.');
    expect(methods(bypass.sent).slice(1)).toEqual(['session/resume', 'session/set_mode', 'session/prompt']);
    expect(bypass.sent[2]?.params).toEqual({ sessionId: 'old', modeId: 'agent-full-access' });
    const asks = open({ resume: 'old', preset: { permissions: 'ask', resume: 'load' } });
    await asks.session.begin('Go on.');
    expect(methods(asks.sent).slice(1, 3)).toEqual(['session/load', 'session/set_mode']);
    expect(asks.sent[2]?.params).toMatchObject({ modeId: 'read-only' });
  });

  it('says what a loaded session said before to nobody again', async () => {
    const { session, events, update } = open({
      resume: 'old',
      preset: { resume: 'load' },
      answers: { 'session/load': 'never' },
    });
    void session.begin('Go on.');
    await settled();
    update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: 'old words' } });
    expect(events).toEqual([]);
  });

  it.each([
    [{ 'session/resume': { error: { code: -32_002, message: 'no such thread' } } }, 'session'],
    [{ 'session/resume': { error: { code: -32_000, message: 'Authentication required' } } }, 'login'],
    [
      { 'session/prompt': { error: { code: -32_603, message: 'Internal error', data: { details: '429 slow down' } } } },
      'limit',
    ],
    [{ 'session/prompt': { error: { code: -32_603, message: 'connection lost' } } }, 'provider'],
    [{ 'session/prompt': { result: { stopReason: 'refusal' } } }, 'other'],
  ])('ends its turn for %j as %s', async (answers, kind) => {
    const { session, events } = open({ resume: 'old', answers });
    await session.begin('Go on.');
    await settled();
    expect(events.at(-1)).toMatchObject({ type: 'turn_end', failure: { kind } });
  });

  it('takes a turn of Codex that ended well but says otherwise for a failure', async () => {
    const { session, events, update, sent } = open({ answers: { 'session/prompt': 'never' } });
    await session.begin('Work.');
    update({ sessionUpdate: 'session_info_update', _meta: { codex: { threadStatus: { type: 'systemError' } } } });
    update({
      sessionUpdate: 'agent_message_chunk',
      content: { type: 'text', text: 'last status: 429 Too Many Requests' },
    });
    session.line(JSON.stringify({ jsonrpc: '2.0', id: sent.at(-1)?.id, result: { stopReason: 'end_turn' } }));
    await settled();
    expect(events.at(-1)).toMatchObject({ failure: { kind: 'limit', message: 'last status: 429 Too Many Requests' } });
  });

  it('takes a turn for failed whose last words begin as the program tells of failures', async () => {
    const ended = async (words: string, failedWords: string | null, tool = false): Promise<unknown> => {
      const { session, events, update, sent } = open({
        preset: { failedWords },
        answers: { 'session/prompt': 'never' },
      });
      await session.begin('Work.');
      for (const text of ['Info: Retrying...', words])
        update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } });
      if (tool) update({ sessionUpdate: 'tool_call', toolCallId: 't', title: 'ls', status: 'completed' });
      session.line(JSON.stringify({ jsonrpc: '2.0', id: sent.at(-1)?.id, result: { stopReason: 'end_turn' } }));
      await settled();
      const last = events.at(-1);
      return last?.type === 'turn_end' ? (last.failure?.kind ?? null) : last;
    };
    expect(await ended('Error: 429 Rate limit reached.', 'Error: ')).toBe('limit');
    expect(await ended('Error: HTTP 401', 'Error: ')).toBe('login');
    expect(await ended('Error: 429 Rate limit reached.', null)).toBeNull();
    expect(await ended('Error: the test is red', 'Error: ')).toBeNull();
    expect(await ended('An Error: 429', 'Error: ')).toBeNull();
    expect(await ended('Error: 429', 'Error: ', true)).toBeNull();
  });

  it('knows of a tool at once, and tells of it by what it does', async () => {
    const { session, events, update } = open({ answers: { 'session/prompt': 'never' } });
    await session.begin('Work.');
    events.length = 0;
    update({ sessionUpdate: 'tool_call', toolCallId: 't', title: 'bash', status: 'pending' });
    update({ sessionUpdate: 'tool_call_update', toolCallId: 't', title: 'ls', status: 'in_progress' });
    update({ sessionUpdate: 'tool_call_update', toolCallId: 't', title: 'ls', status: 'in_progress' });
    const content = [{ type: 'content', content: { type: 'text', text: 'a.txt' } }];
    update({ sessionUpdate: 'tool_call_update', toolCallId: 't', status: 'completed', content });
    expect(events).toEqual([
      { type: 'tool_start', id: 't', title: 'bash', isPending: true },
      { type: 'tool_start', id: 't', title: 'ls', isPending: false },
      { type: 'tool_end', id: 't', ok: true, output: 'a.txt' },
    ]);
    events.length = 0;
    update({ sessionUpdate: 'tool_call', toolCallId: 'u', title: 'make', status: 'pending' });
    update({ sessionUpdate: 'tool_call_update', toolCallId: 'u', status: 'completed' });
    expect(events.map((event) => ('title' in event ? event.title : event.type))).toEqual(['make', 'make', 'tool_end']);
  });

  it('sets what it may do as a mode, or as a configuration option', async () => {
    const { session, sent } = open({ preset: { mode: 'allow_all=on' } });
    await session.begin('Work.');
    expect(sent.map((each) => each.method)).not.toContain('session/set_mode');
    expect(sent.find((each) => each.method === 'session/set_config_option')?.params).toEqual({
      sessionId: 's1',
      configId: 'allow_all',
      value: 'on',
    });
  });

  it('asks a person where it must, and nobody where it need not', async () => {
    const request = {
      id: 'q',
      method: 'session/request_permission',
      params: {
        toolCall: { title: 'rm x' },
        // As Qwen Code orders them: the lasting ones first.
        options: [
          { optionId: 'project', kind: 'allow_always' },
          { optionId: 'never', kind: 'reject_always' },
          { optionId: 'a', kind: 'allow_once' },
          { optionId: 'r', kind: 'reject_once' },
        ],
      },
    };
    const asks = open({ preset: { permissions: 'ask' }, answers: { 'session/prompt': 'never' } });
    await asks.session.begin('Work.');
    asks.session.line(JSON.stringify(request));
    expect(asks.events.at(-1)).toEqual({ type: 'permission', id: 'q', title: 'rm x' });
    asks.session.answer('q', false);
    expect(asks.sent.at(-1)).toMatchObject({ id: 'q', result: { outcome: { outcome: 'selected', optionId: 'r' } } });
    const free = open({ answers: { 'session/prompt': 'never' } });
    await free.session.begin('Work.');
    free.session.line(JSON.stringify(request));
    expect(free.sent.at(-1)).toMatchObject({ id: 'q', result: { outcome: { optionId: 'a' } } });
  });

  it('refuses calls that it did not offer, and takes rubbish', () => {
    const { session, sent, events } = open();
    session.line(JSON.stringify({ id: 5, method: 'fs/read_text_file', params: {} }));
    session.line('Starting up …');
    session.line('[1,2]');
    expect(sent).toMatchObject([{ id: 5, error: { code: -32_601 } }]);
    expect(events[0]).toEqual({ type: 'note', text: 'Starting up …' });
  });
});
