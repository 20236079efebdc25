import { z } from 'zod';

import { nothingOf, sumOfModel, type UsageOfModel } from '../../core/facts.ts';
import { MICRO_USD } from '../../core/usage.ts';
import { type AgentSession, failureOf, OUTPUT_CHARS_MAX, type SessionLink } from './session.ts';

/** A retry that waits longer than this is not waited for: the town parks the work and uses the time for others. */
const RETRY_WAIT_MS_MAX = 60_000;
/** Of a tool's input that is shown. */
const TITLE_CHARS_MAX = 200;

const amount = z.number().nonnegative().catch(0);
const count = amount.transform(Math.round);
const block = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  input: z.unknown().optional(),
  tool_use_id: z.string().optional(),
  content: z.unknown().optional(),
  is_error: z.boolean().optional(),
});
const lineSchema = z.looseObject({
  type: z.string(),
  subtype: z.string().optional(),
  session_id: z.string().optional(),
  model: z.string().optional(),
  permissionMode: z.string().optional(),
  message: z
    .looseObject({
      content: z.unknown().optional(),
      id: z.string().optional(),
      usage: z.unknown().optional(),
      model: z.string().optional(),
    })
    .optional(),
  isReplay: z.boolean().optional(),
  error_status: z.number().nullish(),
  retry_delay_ms: z.number().nullish(),
  error: z.unknown().optional(),
  is_error: z.boolean().optional(),
  result: z.string().optional(),
  errors: z.array(z.string()).optional(),
  modelUsage: z.unknown().optional(),
  request_id: z.string().optional(),
  request: z
    .looseObject({ subtype: z.string(), tool_name: z.string().optional(), input: z.unknown().optional() })
    .optional(),
  rate_limit_info: z.looseObject({ status: z.string().optional(), resetsAt: z.number().nullish() }).optional(),
});
type Line = z.infer<typeof lineSchema>;
const modelUsage = z.record(
  z.string(),
  z.looseObject({
    inputTokens: count,
    outputTokens: count,
    cacheReadInputTokens: count,
    cacheCreationInputTokens: count,
    costUSD: amount,
  }),
);
const messageUsage = z.looseObject({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
});

/** Claude Code on its JSON lines. */
export class ClaudeSession implements AgentSession {
  /** It takes words on its standard input from its start on. */
  readonly isOpen = true;
  /** Which session it is, is among its arguments; one that is not there is told as an error. */
  readonly isFormer = false;
  readonly #link: SessionLink;
  /** Inputs of tools that wait for a person, by request. */
  readonly #asked = new Map<string, unknown>();
  /** What was used as of the last end of a turn, and by the replies since, which have no cost yet. */
  #settled: readonly UsageOfModel[] = [];
  #pending = new Map<string, UsageOfModel>();
  #lastReply = '';
  #resetsAtMs: number | null = null;
  #requests = 0;

  constructor(link: SessionLink) {
    this.#link = link;
  }

  begin(prompt: string): Promise<void> {
    return this.say(prompt);
  }

  say(text: string): Promise<void> {
    const message = { role: 'user', content: [{ type: 'text', text }] };
    this.#link.send(JSON.stringify({ type: 'user', message }));
    return Promise.resolve();
  }

  answer(id: string, isAllowed: boolean, words: string): void {
    const input = this.#asked.get(id);
    this.#asked.delete(id);
    const response = isAllowed
      ? { behavior: 'allow', updatedInput: input }
      : { behavior: 'deny', message: words === '' ? 'A person said no.' : words };
    this.#link.send(
      JSON.stringify({ type: 'control_response', response: { subtype: 'success', request_id: id, response } }),
    );
  }

  cancel(): Promise<void> {
    this.#requests += 1;
    const request_id = `gt-${String(this.#requests)}`;
    this.#link.send(JSON.stringify({ type: 'control_request', request_id, request: { subtype: 'interrupt' } }));
    return Promise.resolve();
  }

  line(text: string): void {
    const line = parse(text);
    if (line !== null) this.#parsed(line);
    else if (text.trim() !== '') this.#link.event({ type: 'note', text });
  }

  #parsed(line: Line): void {
    switch (line.type) {
      case 'system':
        this.#system(line);
        return;
      case 'assistant':
        this.#assistant(line);
        return;
      case 'user':
        if (line.isReplay !== true) this.#results(line);
        return;
      case 'control_request':
        this.#request(line);
        return;
      case 'rate_limit_event':
        this.#resetsAtMs = secondsToMs(line.rate_limit_info?.resetsAt) ?? this.#resetsAtMs;
        return;
      case 'result':
        this.#turnEnd(line);
        return;
      default:
        return;
    }
  }

  #system(line: Line): void {
    if (line.subtype === 'init') {
      if (line.session_id !== undefined) this.#link.identified(line.session_id);
      this.#link.event({
        type: 'started',
        how: `model ${line.model ?? 'unknown'}, permissions ${line.permissionMode ?? 'unknown'}`,
      });
      return;
    }
    if (line.subtype !== 'api_retry') return;
    const delayMs = line.retry_delay_ms ?? null;
    const inMs = delayMs === null ? null : Math.max(0, Math.round(delayMs));
    const isLimit = line.error_status === 429;
    const reason =
      `${String(line.error_status ?? 'no status')} ${typeof line.error === 'string' ? line.error : ''}`.trim();
    this.#link.event({ type: 'retry', reason, inMs, isLimit: isLimit && inMs !== null && inMs > RETRY_WAIT_MS_MAX });
  }

  #assistant(line: Line): void {
    for (const part of blocksOf(line)) {
      if (part.type === 'text' && part.text !== undefined && part.text !== '')
        this.#link.event({ type: 'text', text: part.text });
      if (part.type === 'tool_use')
        this.#link.event({ type: 'tool_start', id: part.id ?? '', title: titleOf(part.name ?? 'tool', part.input) });
    }
    this.#count(line);
  }

  /** One reply comes as several lines with the same numbers, which stand for all of it. */
  #count(line: Line): void {
    const id = line.message?.id ?? '';
    const usage = messageUsage.safeParse(line.message?.usage);
    if (!usage.success || id === this.#lastReply) return;
    const model = line.message?.model ?? '';
    this.#lastReply = id;
    // Its own words about an error are no reply of a model.
    if (usage.data.input_tokens + usage.data.cache_read_input_tokens === 0) return;
    this.#pending.set(model, addReply(this.#pending.get(model) ?? nothingOf(model), usage.data));
    this.#tellUsage();
  }

  #results(line: Line): void {
    for (const part of blocksOf(line)) {
      if (part.type !== 'tool_result') continue;
      const output = outputOf(part.content).slice(0, OUTPUT_CHARS_MAX);
      this.#link.event({ type: 'tool_end', id: part.tool_use_id ?? '', ok: part.is_error !== true, output });
    }
  }

  #request(line: Line): void {
    const id = line.request_id ?? '';
    if (line.request?.subtype === 'can_use_tool') {
      this.#asked.set(id, line.request.input);
      const title = titleOf(line.request.tool_name ?? 'tool', line.request.input);
      this.#link.event({ type: 'permission', id, title });
      return;
    }
    const error = { subtype: 'error', request_id: id, error: 'not supported' };
    this.#link.send(JSON.stringify({ type: 'control_response', response: error }));
  }

  #turnEnd(line: Line): void {
    const used = modelUsage.safeParse(line.modelUsage);
    if (used.success) {
      this.#settled = Object.entries(used.data).map(([model, row]) => settled(model, row));
      this.#pending = new Map();
      this.#tellUsage();
    }
    const words = [line.result ?? '', ...(line.errors ?? [])].filter((text) => text !== '').join(' ');
    const message = words === '' ? (line.subtype ?? 'it says nothing') : words;
    const isMissing = /no conversation found/i.test(message);
    const failure = line.is_error === true ? failureOf(message, this.#resetsAtMs) : null;
    const kind = isMissing ? 'session' : failure?.kind;
    this.#link.event({
      type: 'turn_end',
      failure: failure === null || kind === undefined ? null : { ...failure, kind },
    });
  }

  #tellUsage(): void {
    const models = new Map(this.#settled.map((row) => [row.model ?? '', row]));
    for (const [model, row] of this.#pending) models.set(model, sumOfModel(models.get(model) ?? nothingOf(model), row));
    this.#link.event({ type: 'usage', models: [...models.values()], cost: null });
  }
}

const secondsToMs = (seconds: number | null | undefined): number | null =>
  seconds === null || seconds === undefined ? null : Math.round(seconds * 1_000);

function parse(text: string): Line | null {
  try {
    const parsed = lineSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function blocksOf(line: Line): readonly z.infer<typeof block>[] {
  const parsed = z.array(block).safeParse(line.message?.content);
  return parsed.success ? parsed.data : [];
}

/** What a tool said, in words: an image is named, not shown. */
function outputOf(content: unknown): string {
  if (typeof content === 'string') return content;
  const parts = z.array(block).safeParse(content);
  if (!parts.success) return '';
  return parts.data.map((part) => (part.type === 'text' ? (part.text ?? '') : `[${part.type}]`)).join('\n');
}

/** A tool with the part of its input that tells most. */
function titleOf(name: string, input: unknown): string {
  const fields = new Map<string, unknown>(typeof input === 'object' && input !== null ? Object.entries(input) : []);
  const said = ['command', 'file_path', 'path', 'pattern', 'url', 'description'].map((key) => fields.get(key));
  const first = said.find((value) => typeof value === 'string');
  return `${name}${typeof first === 'string' ? `: ${first}` : ''}`.slice(0, TITLE_CHARS_MAX);
}

function settled(model: string, row: z.infer<typeof modelUsage>[string]): UsageOfModel {
  return {
    ...nothingOf(model),
    tokensIn: row.inputTokens + row.cacheCreationInputTokens,
    tokensOut: row.outputTokens,
    tokensCached: row.cacheReadInputTokens,
    microUsd: Math.round(row.costUSD * MICRO_USD),
  };
}

function addReply(before: UsageOfModel, reply: z.infer<typeof messageUsage>): UsageOfModel {
  const tokensIn = reply.input_tokens + reply.cache_creation_input_tokens;
  const { output_tokens: tokensOut, cache_read_input_tokens: tokensCached } = reply;
  const more = { tokensIn, tokensOut, tokensCached, microUsd: null };
  return sumOfModel(before, {
    model: null,
    ...more,
    unpricedIn: tokensIn,
    unpricedOut: tokensOut,
    unpricedCached: tokensCached,
  });
}
