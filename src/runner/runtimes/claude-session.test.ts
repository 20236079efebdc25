import { describe, expect, it } from 'vitest';
import { ClaudeSession } from './claude-session.ts';
import type { AgentEvent } from './session.ts';

function open(): {
  session: ClaudeSession;
  sent: unknown[];
  events: AgentEvent[];
  ids: string[];
  line: (data: unknown) => void;
} {
  const sent: unknown[] = [];
  const events: AgentEvent[] = [];
  const ids: string[] = [];
  const session = new ClaudeSession({
    send: (line) => sent.push(JSON.parse(line)),
    event: (event) => events.push(event),
    identified: (id) => ids.push(id),
  });
  return {
    session,
    sent,
    events,
    ids,
    line: (data) => {
      session.line(typeof data === 'string' ? data : JSON.stringify(data));
    },
  };
}

const reply = (id: string, content: unknown[], output = 1): unknown => ({
  type: 'assistant',
  message: { id, model: 'm', content, usage: { input_tokens: 10, output_tokens: output, cache_read_input_tokens: 5 } },
});
const usageOf = (events: readonly AgentEvent[]): unknown => events.findLast((event) => event.type === 'usage');

describe('Claude Code on its lines', () => {
  it('shows words of a tool, cut, and names its images', () => {
    const { events, line } = open();
    const result = (content: unknown): void => {
      line({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 't', content }] } });
    };
    result([
      { type: 'text', text: 'seen' },
      { type: 'image', source: { type: 'base64', data: 'A'.repeat(5_000) } },
    ]);
    result('x'.repeat(5_000));
    const outputs = events.map((event) => (event.type === 'tool_end' ? event.output : ''));
    expect(outputs).toEqual(['seen\n[image]', 'x'.repeat(2_000)]);
  });

  it('tells what it works with, its words and its tools', () => {
    const { events, ids, line } = open();
    line({ type: 'system', subtype: 'init', session_id: 's1', model: 'm', permissionMode: 'default' });
    line(reply('a', [{ type: 'text', text: 'Hello.' }]));
    line(reply('a', [{ type: 'tool_use', id: 't', name: 'Bash', input: { command: 'ls' } }]));
    line({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 't', content: 'a.txt' }] } });
    expect(ids).toEqual(['s1']);
    expect(events.filter((event) => event.type !== 'usage')).toEqual([
      { type: 'started', how: 'model m, permissions default' },
      { type: 'text', text: 'Hello.' },
      { type: 'tool_start', id: 't', title: 'Bash: ls' },
      { type: 'tool_end', id: 't', ok: true, output: 'a.txt' },
    ]);
  });

  it('counts a reply once, and lets the end of the turn say what it cost', () => {
    const { events, line } = open();
    line(reply('a', [{ type: 'text', text: 'x' }]));
    line(reply('a', [{ type: 'tool_use', id: 't', name: 'Bash', input: {} }]));
    expect(usageOf(events)).toMatchObject({ models: [{ model: 'm', tokensIn: 10, tokensCached: 5, unpricedIn: 10 }] });
    const row = {
      inputTokens: 12,
      outputTokens: 7,
      cacheReadInputTokens: 5,
      cacheCreationInputTokens: 3,
      costUSD: 0.25,
    };
    line({ type: 'result', subtype: 'success', is_error: false, result: 'x', modelUsage: { m: row } });
    expect(usageOf(events)).toMatchObject({
      models: [{ model: 'm', tokensIn: 15, tokensOut: 7, tokensCached: 5, microUsd: 250_000, unpricedIn: 0 }],
    });
    line(reply('b', [{ type: 'text', text: 'y' }]));
    expect(usageOf(events)).toMatchObject({ models: [{ tokensIn: 25, microUsd: 250_000, unpricedIn: 10 }] });
  });

  it.each([
    ['API Error: Request rejected (429) · Rate limit reached.', 'limit'],
    ['API Error: 500 Internal server error.', 'provider'],
    ['Invalid API key · Fix external API key', 'login'],
    ['No conversation found with session ID: 1', 'session'],
    ['It went wrong.', 'other'],
  ])('ends a turn with "%s" as %s', (result, kind) => {
    const { events, line } = open();
    line({ type: 'result', subtype: 'success', is_error: true, result });
    expect(events).toEqual([{ type: 'turn_end', failure: { kind, message: result, resetsAtMs: null } }]);
  });

  it('knows from when on there is quota again, where the provider says so', () => {
    const { events, line } = open();
    line({ type: 'rate_limit_event', rate_limit_info: { status: 'rejected', resetsAt: 1_800_000_000 } });
    line({ type: 'result', is_error: true, result: 'usage limit reached' });
    expect(events).toMatchObject([{ type: 'turn_end', failure: { kind: 'limit', resetsAtMs: 1_800_000_000_000 } }]);
  });

  it('waits out a short limit and not a long one', () => {
    const { events, line } = open();
    line({ type: 'system', subtype: 'api_retry', error_status: 429, retry_delay_ms: 60_000, error: 'rate_limit' });
    line({ type: 'system', subtype: 'api_retry', error_status: 429, retry_delay_ms: 60_001, error: 'rate_limit' });
    line({ type: 'system', subtype: 'api_retry', error_status: 500, retry_delay_ms: 90_000, error: 'x' });
    expect(events.map((event) => event.type === 'retry' && event.isLimit)).toEqual([false, true, false]);
  });

  it('asks a person, and passes the answer on', () => {
    const { session, events, sent, line } = open();
    const input = { command: 'rm x' };
    const request = { subtype: 'can_use_tool', tool_name: 'Bash', input };
    line({ type: 'control_request', request_id: 'r1', request });
    line({ type: 'control_request', request_id: 'r2', request });
    expect(events[0]).toEqual({ type: 'permission', id: 'r1', title: 'Bash: rm x' });
    session.answer('r1', true, 'yes');
    session.answer('r2', false, 'no, keep it');
    const response = (id: string, inner: unknown): unknown => ({
      type: 'control_response',
      response: { subtype: 'success', request_id: id, response: inner },
    });
    expect(sent).toEqual([
      response('r1', { behavior: 'allow', updatedInput: input }),
      response('r2', { behavior: 'deny', message: 'no, keep it' }),
    ]);
  });

  it.each([
    '',
    'not JSON',
    '{"type":7}',
    '[]',
    '{"type":"assistant"}',
    '{"type":"result","modelUsage":{"m":7}}',
    '{"type":"unheard_of"}',
  ])('takes %j without an error', (text) => {
    const { line } = open();
    expect(() => {
      line(text);
    }).not.toThrow();
  });
});
