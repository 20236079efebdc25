/** One table of tools: what is listed over MCP, the commands, the rights and the page about them say the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAYOR_RIGHTS } from '../src/api/mayor-rights.ts';
import { TOOL_CALLS } from '../src/api/mcp/server.ts';
import { COMMAND_NAMES } from '../src/cli/command-names.ts';
import { AGENT_VERBS, REVIEWER_VERBS } from '../src/core/queries.ts';
import { TOOLS, type Tool } from '../src/core/tools.ts';

const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'tools.md'), 'utf8');

function rowOf(tool: Tool): string {
  const who = [tool.agent !== null, tool.mayor !== null, tool.owner].map((has) => (has ? 'yes' : ''));
  const commands = tool.commands.map((command) => `\`gt ${command}\``).join(', ');
  return [`\`${tool.name}\``, tool.purpose, ...who, commands].join(' | ');
}

describe('the table of tools', () => {
  it('is the one on its page', () => {
    const rows = page
      .split('\n')
      .filter((line) => line.startsWith('| `gt_'))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim())
          .join(' | '),
      );
    expect(rows).toEqual(TOOLS.map(rowOf));
  });

  it('names commands that exist, and each tool can be called', () => {
    const known = new Set(COMMAND_NAMES.map(({ name }) => name));
    expect(TOOLS.flatMap(({ commands }) => commands).filter((command) => !known.has(command))).toEqual([]);
    expect(Object.keys(TOOL_CALLS).toSorted()).toEqual(TOOLS.map(({ name }) => name).toSorted());
    expect(new Set(TOOLS.map(({ name }) => name)).size).toBe(TOOLS.length);
  });

  it('gives every right of an agent and of the mayor a tool', () => {
    expect(new Set(TOOLS.map(({ agent }) => agent).filter((verb) => verb !== null))).toEqual(
      new Set<string>([...AGENT_VERBS, ...REVIEWER_VERBS]),
    );
    const mayor = new Set(TOOLS.map((tool) => tool.mayor).filter((verb) => verb !== null && verb !== 'session'));
    expect(mayor).toEqual(new Set(MAYOR_RIGHTS.map(({ verb }) => verb)));
  });

  it('has one line of purpose each, short enough for a list', () => {
    for (const { name, purpose } of TOOLS)
      expect([name, purpose]).toEqual([name, expect.stringMatching(/^[A-Z].{10,119}[.]$/)]);
  });
});
