/** One thing in a conversation as any of the wires carries it, reduced to what a script needs to find its place. */
export type Item =
  | { readonly role: 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly calls: number }
  | { readonly role: 'tool'; readonly text: string };

/** A tool that the caller offers to its model. */
export interface OfferedTool {
  readonly name: string;
  /** Names of its arguments. */
  readonly args: readonly string[];
  /** `custom`: takes plain text instead of arguments. */
  readonly kind: 'function' | 'custom';
  /** Group of tools that a call must name. */
  readonly group?: string;
}

/** What a caller asks of its model. */
export interface Asked {
  readonly model: string;
  readonly stream: boolean;
  readonly items: readonly Item[];
  readonly tools: readonly OfferedTool[];
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly group?: string;
}

export interface Usage {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
}

/** What the model says: words, or one call of a tool. */
export interface Reply {
  /** Another one for each reply: callers tell replies apart by it. */
  readonly id: string;
  readonly text: string;
  readonly call: ToolCall | null;
  readonly usage: Usage;
}

/** Why the model refuses, in words that each wire puts into its own form. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** One way to speak to a model: how requests are read and replies written. */
export interface Wire {
  readonly name: 'messages' | 'chat' | 'responses' | 'gemini';
  matches(path: string): boolean;
  read(body: unknown, path: string): Asked;
  /** Blocks of a streamed reply, each complete by itself. */
  stream(reply: Reply, asked: Asked): readonly string[];
  whole(reply: Reply, asked: Asked): unknown;
  refusal(refusal: Refusal): unknown;
}

/** Reading helpers for bodies that foreign programs send: a missing or odd part is empty, never an error. */
export const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : {};
export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Words of a content that is a string or a list of parts with a `text`. */
export const contentText = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : list(content)
        .map((part) => text(record(part)['text']))
        .filter((part) => part !== '')
        .join('\n');

export const argNames = (schema: unknown): readonly string[] => Object.keys(record(record(schema)['properties']));

export const sse = (data: unknown, event?: string): string =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
