import { z } from 'zod';

import type { RuntimePreset } from '../../core/runtime-presets.ts';
import { errorText } from '../text.ts';
import { AcpUsage } from './acp-usage.ts';
import { JsonRpc, RpcError } from './json-rpc.ts';
import {
  type AgentSession,
  type Failure,
  failureOf,
  type FormerSession,
  OUTPUT_CHARS_MAX,
  type SessionLink,
} from './session.ts';

const PROTOCOL = 1;

const newSession = z.looseObject({
  sessionId: z.string(),
  models: z
    .looseObject({
      currentModelId: z.string().optional(),
      availableModels: z.array(z.looseObject({ modelId: z.string() })).catch([]),
    })
    .nullish(),
  configOptions: z
    .array(
      z.looseObject({
        id: z.string(),
        category: z.string().nullish(),
        options: z.unknown().optional(),
        currentValue: z.unknown().optional(),
      }),
    )
    .nullish()
    .catch([]),
});
const update = z.looseObject({
  update: z.looseObject({
    sessionUpdate: z.string(),
    content: z.unknown().optional(),
    toolCallId: z.string().optional(),
    title: z.string().nullish(),
    status: z.string().nullish(),
    rawOutput: z.unknown().optional(),
  }),
});
const threadStatus = z.looseObject({
  _meta: z.looseObject({ codex: z.looseObject({ threadStatus: z.looseObject({ type: z.string() }) }) }),
});
const permission = z.looseObject({
  toolCall: z.looseObject({ title: z.string().nullish(), toolCallId: z.string().optional() }),
  options: z.array(z.looseObject({ optionId: z.string(), kind: z.string().optional(), name: z.string().optional() })),
});
const promptResult = z.looseObject({ stopReason: z.string(), usage: z.unknown().optional() });
type Option = z.infer<typeof permission>['options'][number];

export interface AcpOrder {
  readonly preset: RuntimePreset;
  readonly cwd: string;
  /** A former session; null: a new one. */
  readonly resume: FormerSession | null;
  readonly model: string | null;
  /** Servers of tools, as the protocol names them. */
  readonly mcpServers: readonly unknown[];
}

/** Any agent that speaks the Agent Client Protocol; what differs among them is in the preset. */
export class AcpSession implements AgentSession {
  readonly #link: SessionLink;
  readonly #order: AcpOrder;
  readonly #rpc: JsonRpc;
  readonly #asked = new Map<string, { readonly rpcId: number | string; readonly options: readonly Option[] }>();
  readonly #usage: AcpUsage;
  /** Tools that run, by what is known of them; true: it was told. */
  readonly #tools = new Map<string, { readonly title: string; readonly isTold: boolean }>();
  #id = '';
  #isOpen = false;
  /** Prompts that are not answered; the turn is over with the last one. */
  #running = 0;
  /** What was said after the agent's model failed; null: it works. */
  #broken: string | null = null;
  /** The last piece of words in this turn, as long as nothing came after it. */
  #last = '';
  /** Former words that a loaded session says again. */
  #isReplaying = false;

  constructor(link: SessionLink, order: AcpOrder) {
    this.#link = link;
    this.#order = order;
    this.#usage = new AcpUsage(order.model, order.resume);
    this.#rpc = new JsonRpc({
      send: (line) => {
        link.send(line);
      },
      notified: (method, params) => {
        if (method === 'session/update') this.#update(params);
      },
      called: (id, method, params) => method === 'session/request_permission' && this.#permission(id, params),
      odd: (line) => {
        link.event({ type: 'note', text: line });
      },
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get isFormer(): boolean {
    return this.#order.resume !== null;
  }

  async begin(prompt: string): Promise<void> {
    try {
      await this.#rpc.call('initialize', {
        protocolVersion: PROTOCOL,
        clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
        clientInfo: { name: 'gastown', version: '1' },
      });
      await this.#open();
    } catch (error) {
      const { resume } = this.#order;
      const failure = failureOf(errorText(error));
      const kind = resume !== null && failure.kind === 'other' ? 'session' : failure.kind;
      this.#link.event({ type: 'turn_end', failure: { ...failure, kind } });
      return;
    }
    this.#isOpen = true;
    await this.say(prompt);
  }

  /** The session, its mode and its model: the same steps for a new one and a former one. */
  async #open(): Promise<void> {
    const { preset, cwd, resume, model, mcpServers } = this.#order;
    const place = { cwd, mcpServers };
    let answer: unknown;
    if (resume === null) answer = await this.#rpc.call('session/new', place);
    else {
      this.#id = resume.id;
      this.#isReplaying = true;
      const call = preset.resume === 'load' ? 'session/load' : 'session/resume';
      answer = await this.#rpc.call(call, { ...place, sessionId: resume.id });
      this.#isReplaying = false;
    }
    const found = newSession.safeParse(resume === null ? answer : { ...asObject(answer), sessionId: resume.id });
    if (!found.success) throw new RpcError(0, 'the agent gave no session');
    this.#id = found.data.sessionId;
    this.#usage.named(currentModel(found.data));
    this.#link.identified(this.#id);
    const how = [resume === null ? 'new session' : 'former session'];
    // A session that is taken up again has the agent's own default mode.
    const modeId = preset.permissions === 'bypass' ? preset.mode : preset.askMode;
    if (modeId !== null) {
      await this.#setMode(modeId);
      how.push(`mode ${modeId}`);
    }
    if (model !== null && preset.modelArgs.length === 0) how.push(await this.#setModel(model, found.data));
    this.#link.event({ type: 'started', how: how.join(', ') });
  }

  async #setMode(modeId: string): Promise<void> {
    const sessionId = this.#id;
    const [configId, value] = modeId.split('=');
    if (value === undefined) await this.#rpc.call('session/set_mode', { sessionId, modeId });
    else await this.#rpc.call('session/set_config_option', { sessionId, configId, value });
  }

  /** What an agent offers for choosing its model differs; one that offers nothing keeps its own. */
  async #setModel(model: string, session: z.infer<typeof newSession>): Promise<string> {
    const option = session.configOptions?.find((each) => each.category === 'model');
    if (option !== undefined && JSON.stringify(option.options).includes(JSON.stringify(model))) {
      await this.#rpc.call('session/set_config_option', { sessionId: this.#id, configId: option.id, value: model });
      return `model ${model}`;
    }
    if (session.models?.availableModels.some((each) => each.modelId === model) === true) {
      await this.#rpc.call('session/set_model', { sessionId: this.#id, modelId: model });
      return `model ${model}`;
    }
    return `its own model, since it does not offer ${model}`;
  }

  line(text: string): void {
    this.#rpc.line(text);
  }

  say(text: string): Promise<void> {
    this.#running += 1;
    // Answered at the end of the turn, which may be hours away.
    void this.#prompt(text);
    return Promise.resolve();
  }

  async #prompt(text: string): Promise<void> {
    let failure = null;
    this.#last = '';
    this.#usage.prompted();
    let answer: unknown;
    try {
      answer = await this.#rpc.call('session/prompt', {
        sessionId: this.#id,
        prompt: [{ type: 'text', text }],
      });
      const result = promptResult.safeParse(answer);
      const reason = result.success ? result.data.stopReason : 'unknown';
      failure = this.#failureOfTurn(reason);
    } catch (error) {
      failure = failureOf(errorText(error));
    }
    this.#usage.turnEnded(answer);
    this.#tellUsage();
    this.#running -= 1;
    if (this.#running === 0) this.#link.event({ type: 'turn_end', failure });
  }

  #failureOfTurn(reason: string): Failure | null {
    if (!['end_turn', 'cancelled'].includes(reason)) return failureOf(`the agent stopped: ${reason}`);
    if (reason !== 'end_turn') return null;
    if (this.#broken !== null) return failureOf(this.#broken.trim());
    const { failedWords } = this.#order.preset;
    if (failedWords === null || !this.#last.startsWith(failedWords)) return null;
    // A model may begin like that too; what is about no provider is its own words.
    const failure = failureOf(this.#last.trim());
    return failure.kind === 'other' ? null : failure;
  }

  answer(id: string, isAllowed: boolean): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    this.#asked.delete(id);
    // A yes is for this one question: a lasting one is written into settings, with some agents into the worktree.
    const option = (isAllowed ? ['allow_once', 'allow_always'] : ['reject_once', 'reject_always'])
      .map((kind) => asked.options.find((each) => each.kind === kind))
      .find((each) => each !== undefined);
    const outcome =
      option === undefined ? { outcome: 'cancelled' } : { outcome: 'selected', optionId: option.optionId };
    this.#rpc.reply(asked.rpcId, { outcome });
  }

  cancel(): Promise<void> {
    if (!this.#isOpen) return Promise.resolve();
    for (const { rpcId } of this.#asked.values()) this.#rpc.reply(rpcId, { outcome: { outcome: 'cancelled' } });
    this.#asked.clear();
    this.#rpc.notify('session/cancel', { sessionId: this.#id });
    return Promise.resolve();
  }

  #permission(rpcId: number | string, params: unknown): boolean {
    const asked = permission.safeParse(params);
    if (!asked.success) return false;
    const id = String(rpcId);
    this.#asked.set(id, { rpcId, options: asked.data.options });
    // Told to ask nobody, it asks all the same: some agents do so for single tools.
    if (this.#order.preset.permissions === 'bypass') this.answer(id, true);
    else this.#link.event({ type: 'permission', id, title: asked.data.toolCall.title ?? 'a tool' });
    return true;
  }

  #update(params: unknown): void {
    const parsed = update.safeParse(params);
    if (!parsed.success) return;
    const { sessionUpdate, content } = parsed.data.update;
    // What the session has cost is said again with its former words; it counts there.
    if (this.#isReplaying && sessionUpdate !== 'usage_update') return;
    switch (sessionUpdate) {
      case 'agent_message_chunk':
        if (this.#usage.replied(parsed.data.update)) this.#tellUsage();
        if (this.#broken !== null) this.#broken += contentText(content);
        this.#last = contentText(content);
        this.#link.event({ type: 'text', text: this.#last });
        return;
      case 'session_info_update':
        this.#threadStatus(parsed.data.update);
        return;
      case 'tool_call':
      case 'tool_call_update':
        this.#tool(parsed.data.update);
        return;
      case 'usage_update':
        this.#usage.updated(parsed.data.update);
        this.#tellUsage();
        return;
      default:
        return;
    }
  }

  /** Codex ends a turn that failed like any other; that it failed is in this, and why in the words after it. */
  #threadStatus(info: unknown): void {
    const status = threadStatus.safeParse(info);
    if (!status.success) return;
    const type = status.data._meta.codex.threadStatus.type;
    if (type === 'systemError') this.#broken = '';
    if (type === 'active') this.#broken = null;
  }

  #tool(call: z.infer<typeof update>['update']): void {
    const { toolCallId: id = '', title, status } = call;
    this.#last = '';
    const known = this.#tools.get(id);
    // While it is pending some agents know only the tool's name, and what it will do comes with the next one; others run
    // it without saying more, and it is not silence.
    if (known?.isTold !== true) {
      const isPending = status === 'pending';
      const name = title ?? known?.title ?? 'a tool';
      this.#tools.set(id, { title: name, isTold: !isPending });
      this.#link.event({ type: 'tool_start', id, title: name, isPending });
    }
    if (status === 'completed' || status === 'failed') this.#toolEnd(call);
  }

  #toolEnd(end: z.infer<typeof update>['update']): void {
    this.#tools.delete(end.toolCallId ?? '');
    const output = contentText(end.content) || (end.rawOutput === undefined ? '' : JSON.stringify(end.rawOutput));
    this.#link.event({
      type: 'tool_end',
      id: end.toolCallId ?? '',
      ok: end.status === 'completed',
      output: output.slice(0, OUTPUT_CHARS_MAX),
    });
  }

  #tellUsage(): void {
    const models = this.#usage.models();
    if (models.length > 0) this.#link.event({ type: 'usage', models, cost: this.#usage.cost });
  }
}

function currentModel({ configOptions, models }: z.infer<typeof newSession>): string | null {
  const chosen = configOptions?.find((each) => each.category === 'model')?.currentValue;
  return typeof chosen === 'string' ? chosen : (models?.currentModelId ?? null);
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};

/** Words of a content block, or of a list of them. */
function contentText(content: unknown): string {
  if (Array.isArray(content)) return content.map(contentText).join('');
  const { text, content: inner } = asObject(content);
  if (typeof text === 'string') return text;
  return inner === undefined ? '' : contentText(inner);
}
