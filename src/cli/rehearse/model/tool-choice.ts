import type { Item, OfferedTool, ToolCall } from './conversation.ts';
import type { Step } from './scenario.ts';

/** Tools that run a shell line, by name, and how each takes it. */
const SHELLS: Readonly<Record<string, (line: string) => Record<string, unknown>>> = {
  Bash: (line) => ({ command: line, description: 'A step of the script' }),
  bash: (line) => ({ command: line, description: 'A step of the script' }),
  exec_command: (line) => ({ cmd: line, yield_time_ms: 30_000 }),
  shell_command: (line) => ({ command: line }),
  shell: (line) => ({ command: ['bash', '-c', line] }),
  run_shell_command: (line) => ({ command: line, description: 'A step of the script', is_background: false }),
};

/** Tools that write a whole file. */
const WRITERS: Readonly<Record<string, (path: string, text: string) => Record<string, unknown>>> = {
  Write: (path, text) => ({ file_path: path, content: text }),
  write: (path, text) => ({ filePath: path, content: text }),
  write_file: (path, text) => ({ file_path: path, content: text }),
};

/** What a program tells its model of the folder that it works in; null: nothing. */
export function folderOf(items: readonly Item[]): string | null {
  for (const { text } of items) {
    const found = /working in the directory: (\/\S+)/.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  return null;
}

/**
 * The call that carries out a step with the tools that are offered, or null where none of them can. `folder`: files are
 * named in full, as some programs want them.
 */
export function callFor(
  step: Step,
  by: { readonly tools: readonly OfferedTool[]; readonly id: string; readonly folder: string | null },
): ToolCall | null {
  const { tools, id, folder } = by;
  if (step.write !== undefined) {
    const { path, text } = step.write;
    const writer = tools.find((tool) => Object.hasOwn(WRITERS, tool.name));
    const args =
      writer === undefined ? undefined : WRITERS[writer.name]?.(folder === null ? path : `${folder}/${path}`, text);
    if (writer !== undefined && args !== undefined) return { id, name: writer.name, args };
    return shellCall(`printf %s ${quoted(text)} > ${quoted(path)}`, step, { tools, id });
  }
  if (step.tool !== undefined) {
    const { name, args } = step.tool;
    const found = tools.find(
      (tool) => tool.name === name || (/[_-]/.test(tool.name.at(-name.length - 1) ?? '') && tool.name.endsWith(name)),
    );
    if (found === undefined) return null;
    return { id, name: found.name, args, ...(found.group === undefined ? {} : { group: found.group }) };
  }
  return step.shell === undefined ? null : shellCall(step.shell, step, { tools, id });
}

const ESCALATED = { sandbox_permissions: 'require_escalated', justification: 'The script says so.' };

function shellCall(
  line: string,
  step: Step,
  by: { readonly tools: readonly OfferedTool[]; readonly id: string },
): ToolCall | null {
  const more = step.escalate === true ? ESCALATED : {};
  for (const [name, args] of Object.entries(SHELLS))
    if (by.tools.some((tool) => tool.name === name))
      return { id: by.id, name, args: onlyOffered({ ...args(line), ...more }, name, by.tools) };
  return null;
}

/** Some tools refuse arguments that they do not know. */
function onlyOffered(
  args: Record<string, unknown>,
  name: string,
  tools: readonly OfferedTool[],
): Record<string, unknown> {
  const known = tools.find((tool) => tool.name === name)?.args ?? [];
  return known.length === 0 ? args : Object.fromEntries(Object.entries(args).filter(([key]) => known.includes(key)));
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
