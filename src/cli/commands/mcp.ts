/** The tools of agents over MCP, on stdin and stdout. */
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { toolServer } from '../../api/mcp/server.ts';
import type { CommandSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { toolCaller } from '../tool-doors.ts';
import { ownVersion } from './version.ts';

export const serve: CommandSpec = {
  usage: 'gt mcp',
  summary: 'the tools of agents over MCP, on stdin and stdout: for the agent that starts it, or for your assistant',
  examples: ['gt mcp', 'gt mcp install claude'],
  notes:
    'In the environment of an agent it has the rights of its attempt; elsewhere in a town those of its owner.\n' +
    'Which tools there are: docs/tools.md. It ends when its input does.',
  run: async (context) => {
    const caller = toolCaller(context);
    const version = ownVersion();
    const ended = new Promise<void>((resolve) => {
      process.stdin.once('end', resolve);
      process.stdin.once('close', resolve);
    });
    const server = serveStdio(() => toolServer(caller, version), {
      onerror: (error) => {
        context.hint(`gt mcp: ${error.message}`);
      },
    });
    await ended;
    await server.close();
    return EXIT.ok;
  },
};
