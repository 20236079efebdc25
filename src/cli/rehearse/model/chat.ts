import {
  argNames,
  type Asked,
  contentText,
  type Item,
  list,
  record,
  type Reply,
  sse,
  text,
  type Wire,
} from './conversation.ts';
import { openAiRefusal } from './openai-refusal.ts';

/** OpenAI's Chat Completions, and what others built after it. */
export const chatWire: Wire = {
  name: 'chat',
  matches: (path) => path.endsWith('/chat/completions'),
  read: (body) => {
    const request = record(body);
    return {
      model: text(request['model']),
      stream: request['stream'] === true,
      items: list(request['messages']).flatMap(items),
      tools: list(request['tools']).map((tool) => {
        const { name, parameters } = record(record(tool)['function']);
        return { name: text(name), args: argNames(parameters), kind: 'function' as const };
      }),
    };
  },
  stream: (reply, asked) => {
    const piece = (delta: unknown, finish: string | null): string =>
      sse({ ...shell(reply, asked, 'chat.completion.chunk'), choices: [{ index: 0, delta, finish_reason: finish }] });
    const { call } = reply;
    return [
      piece({ role: 'assistant', content: reply.text }, null),
      ...(call === null ? [] : [piece({ tool_calls: [{ index: 0, ...callOf(reply) }] }, null)]),
      piece({}, finishOf(reply)),
      sse({ ...shell(reply, asked, 'chat.completion.chunk'), choices: [], usage: counts(reply) }),
      'data: [DONE]\n\n',
    ];
  },
  whole: (reply, asked) => ({
    ...shell(reply, asked, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: reply.text,
          ...(reply.call === null ? {} : { tool_calls: [callOf(reply)] }),
        },
        finish_reason: finishOf(reply),
      },
    ],
    usage: counts(reply),
  }),
  refusal: openAiRefusal,
};

function items(message: unknown): readonly Item[] {
  const { role, content, tool_calls: calls } = record(message);
  if (role === 'assistant') return [{ role, text: contentText(content), calls: list(calls).length }];
  if (role === 'tool') return [{ role, text: contentText(content) }];
  return role === 'user' ? [{ role, text: contentText(content) }] : [];
}

const finishOf = (reply: Reply): string => (reply.call === null ? 'stop' : 'tool_calls');

function callOf({ call }: Reply): Record<string, unknown> {
  return {
    id: call?.id,
    type: 'function',
    function: { name: call?.name, arguments: JSON.stringify(call?.args ?? {}) },
  };
}

const shell = (reply: Reply, asked: Asked, object: string): Record<string, unknown> => ({
  id: `chatcmpl-${reply.id}`,
  object,
  created: 1,
  model: asked.model,
});

const counts = ({ usage }: Reply): unknown => ({
  prompt_tokens: usage.input + usage.cached,
  completion_tokens: usage.output,
  total_tokens: usage.input + usage.cached + usage.output,
  prompt_tokens_details: { cached_tokens: usage.cached },
});
