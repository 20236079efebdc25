import {
  argNames,
  type Asked,
  contentText,
  type Item,
  list,
  type OfferedTool,
  record,
  type Reply,
  sse,
  text,
  type Wire,
} from './conversation.ts';
import { openAiRefusal } from './openai-refusal.ts';

/** OpenAI's Responses. */
export const responsesWire: Wire = {
  name: 'responses',
  matches: (path) => path.endsWith('/responses'),
  read: (body) => {
    const request = record(body);
    const { input } = request;
    return {
      model: text(request['model']),
      stream: request['stream'] === true,
      items: typeof input === 'string' ? [{ role: 'user', text: input }] : list(input).flatMap(items),
      tools: list(request['tools']).flatMap(tools),
    };
  },
  stream: (reply, asked) => {
    const output = outputOf(reply);
    return [
      sse(
        { type: 'response.created', response: { ...shell(reply, asked), status: 'in_progress', output: [] } },
        'response.created',
      ),
      ...output.flatMap((item, index) => [
        sse({ type: 'response.output_item.added', output_index: index, item }, 'response.output_item.added'),
        sse({ type: 'response.output_item.done', output_index: index, item }, 'response.output_item.done'),
      ]),
      sse(
        {
          type: 'response.completed',
          response: { ...shell(reply, asked), status: 'completed', output, usage: counts(reply) },
        },
        'response.completed',
      ),
    ];
  },
  whole: (reply, asked) => ({
    ...shell(reply, asked),
    status: 'completed',
    output: outputOf(reply),
    usage: counts(reply),
  }),
  refusal: openAiRefusal,
};

function items(item: unknown): readonly Item[] {
  const { type, role, content, output } = record(item);
  switch (type) {
    case 'function_call':
    case 'custom_tool_call':
    case 'local_shell_call':
      return [{ role: 'assistant', text: '', calls: 1 }];
    case 'function_call_output':
    case 'custom_tool_call_output':
      return [{ role: 'tool', text: typeof output === 'string' ? output : contentText(output) }];
    default:
      if (role === 'assistant') return [{ role: 'assistant', text: contentText(content), calls: 0 }];
      return role === 'user' ? [{ role: 'user', text: contentText(content) }] : [];
  }
}

function tools(tool: unknown): readonly OfferedTool[] {
  const { type, name, parameters, tools: inner } = record(tool);
  if (type === 'namespace')
    return list(inner)
      .flatMap(tools)
      .map((each) => ({ ...each, group: text(name) }));
  if (type === 'function') return [{ name: text(name), args: argNames(parameters), kind: 'function' }];
  return type === 'custom' ? [{ name: text(name), args: [], kind: 'custom' }] : [];
}

const shell = (reply: Reply, asked: Asked): Record<string, unknown> => ({
  id: `resp_${reply.id}`,
  object: 'response',
  created_at: 1,
  model: asked.model,
});

function outputOf(reply: Reply): readonly unknown[] {
  const { call } = reply;
  const said = {
    type: 'message',
    id: `msg_${reply.id}`,
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text: reply.text, annotations: [] }],
  };
  return [
    ...(reply.text === '' ? [] : [said]),
    ...(call === null
      ? []
      : [
          {
            type: 'function_call',
            id: `fc_${call.id}`,
            call_id: call.id,
            name: call.name,
            ...(call.group === undefined ? {} : { namespace: call.group }),
            arguments: JSON.stringify(call.args),
            status: 'completed',
          },
        ]),
  ];
}

const counts = ({ usage }: Reply): unknown => ({
  input_tokens: usage.input + usage.cached,
  input_tokens_details: { cached_tokens: usage.cached },
  output_tokens: usage.output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: usage.input + usage.cached + usage.output,
});
