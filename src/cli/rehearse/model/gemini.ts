import { argNames, contentText, type Item, list, record, type Reply, sse, text, type Wire } from './conversation.ts';

/** Google's Gemini. The model and the way of answering are in the path. */
export const geminiWire: Wire = {
  name: 'gemini',
  matches: (path) => /:(?:streamG|g)enerateContent$/.test(path),
  read: (body, path) => {
    const request = record(body);
    return {
      model: /models\/([^/:]+):/.exec(path)?.[1] ?? '',
      stream: path.endsWith(':streamGenerateContent'),
      items: list(request['contents']).flatMap(items),
      tools: list(request['tools']).flatMap((group) =>
        list(record(group)['functionDeclarations']).map((tool) => {
          const { name, parameters, parametersJsonSchema } = record(tool);
          const args = argNames(parametersJsonSchema ?? parameters);
          return { name: text(name), args, kind: 'function' as const };
        }),
      ),
    };
  },
  // Words first: what a broken stream brought is then no whole call.
  stream: (reply, asked) =>
    reply.text === '' || reply.call === null
      ? [sse(answer(reply, asked.model))]
      : [
          { ...reply, call: null },
          { ...reply, text: '' },
        ].map((part) => sse(answer(part, asked.model))),
  whole: (reply, asked) => answer(reply, asked.model),
  refusal: ({ status, message }) => ({
    error: {
      code: status,
      message,
      status: status === 429 ? 'RESOURCE_EXHAUSTED' : status === 401 ? 'UNAUTHENTICATED' : 'INTERNAL',
    },
  }),
};

function items(content: unknown): readonly Item[] {
  const { role, parts } = record(content);
  const calls = list(parts).filter((part) => 'functionCall' in record(part)).length;
  if (role === 'model') return [{ role: 'assistant', text: contentText(parts), calls }];
  const results = list(parts).filter((part) => 'functionResponse' in record(part));
  const words = contentText(parts);
  return [
    ...results.map((part) => ({ role: 'tool' as const, text: JSON.stringify(part) })),
    ...(words === '' ? [] : [{ role: 'user' as const, text: words }]),
  ];
}

function answer(reply: Reply, model: string): unknown {
  const { call, usage } = reply;
  const parts = [
    ...(reply.text === '' ? [] : [{ text: reply.text }]),
    ...(call === null ? [] : [{ functionCall: { name: call.name, args: call.args } }]),
  ];
  return {
    candidates: [{ index: 0, content: { role: 'model', parts }, finishReason: 'STOP' }],
    usageMetadata: {
      promptTokenCount: usage.input + usage.cached,
      candidatesTokenCount: usage.output,
      cachedContentTokenCount: usage.cached,
      totalTokenCount: usage.input + usage.cached + usage.output,
    },
    modelVersion: model,
  };
}
