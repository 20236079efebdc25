import {
  argNames,
  type Asked,
  contentText,
  type Item,
  list,
  record,
  type Refusal,
  type Reply,
  sse,
  text,
  type Wire,
} from './conversation.ts';

/** Anthropic's Messages. */
export const messagesWire: Wire = {
  name: 'messages',
  matches: (path) => path.endsWith('/v1/messages'),
  read: (body) => {
    const request = record(body);
    return {
      model: text(request['model']),
      stream: request['stream'] === true,
      items: list(request['messages']).flatMap(items),
      tools: list(request['tools']).map((tool) => {
        const { name, input_schema: schema } = record(tool);
        return { name: text(name), args: argNames(schema), kind: 'function' as const };
      }),
    };
  },
  stream: (reply, asked) => {
    const { usage } = reply;
    const message = {
      ...shell(reply, asked),
      content: [],
      stop_reason: null,
      usage: { ...counts(reply), output_tokens: 1 },
    };
    const delta = { stop_reason: stopReason(reply), stop_sequence: null };
    return [
      sse({ type: 'message_start', message }, 'message_start'),
      ...blocks(reply).flatMap((block, index) => blockEvents(block, index)),
      sse({ type: 'message_delta', delta, usage: { output_tokens: usage.output } }, 'message_delta'),
      sse({ type: 'message_stop' }, 'message_stop'),
    ];
  },
  whole: (reply, asked) => ({
    ...shell(reply, asked),
    content: blocks(reply),
    stop_reason: stopReason(reply),
    usage: counts(reply),
  }),
  refusal: ({ status, message }: Refusal) => ({
    type: 'error',
    error: { type: errorType(status), message },
    request_id: 'req_scripted',
  }),
};

function items(message: unknown): readonly Item[] {
  const { role, content } = record(message);
  if (role === 'assistant') {
    const calls = list(content).filter((part) => record(part)['type'] === 'tool_use').length;
    return [{ role: 'assistant', text: contentText(content), calls }];
  }
  const results = list(content).filter((part) => record(part)['type'] === 'tool_result');
  const words = contentText(content);
  return [
    ...results.map((part) => ({ role: 'tool' as const, text: contentText(record(part)['content']) })),
    ...(words === '' ? [] : [{ role: 'user' as const, text: words }]),
  ];
}

const errorType = (status: number): string => {
  if (status === 429) return 'rate_limit_error';
  if (status === 401) return 'authentication_error';
  return status === 529 ? 'overloaded_error' : 'api_error';
};

const stopReason = (reply: Reply): string => (reply.call === null ? 'end_turn' : 'tool_use');

const shell = (reply: Reply, asked: Asked): Record<string, unknown> => ({
  id: `msg_${reply.id}`,
  type: 'message',
  role: 'assistant',
  model: asked.model,
  stop_sequence: null,
});

const counts = ({ usage }: Reply): Record<string, number> => ({
  input_tokens: usage.input,
  output_tokens: usage.output,
  cache_read_input_tokens: usage.cached,
  cache_creation_input_tokens: 0,
});

type Block = Readonly<Record<string, unknown>>;

function blocks(reply: Reply): readonly Block[] {
  const { call } = reply;
  return [
    ...(reply.text === '' ? [] : [{ type: 'text', text: reply.text }]),
    ...(call === null ? [] : [{ type: 'tool_use', id: call.id, name: call.name, input: call.args }]),
  ];
}

function blockEvents(block: Block, index: number): readonly string[] {
  const isText = block['type'] === 'text';
  const start = isText ? { type: 'text', text: '' } : { ...block, input: {} };
  const delta = isText
    ? { type: 'text_delta', text: block['text'] }
    : { type: 'input_json_delta', partial_json: JSON.stringify(block['input']) };
  return [
    sse({ type: 'content_block_start', index, content_block: start }, 'content_block_start'),
    sse({ type: 'content_block_delta', index, delta }, 'content_block_delta'),
    sse({ type: 'content_block_stop', index }, 'content_block_stop'),
  ];
}
