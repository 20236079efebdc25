import { describe, expect, it } from 'vitest';
import { fence } from './prompt.ts';
import { contextText, NO_CONTEXT, type EarlierSession, type WorkContext } from './work-context.ts';

const told = (over: Partial<WorkContext>): string => contextText({ ...NO_CONTEXT, ...over }, fence).join('\n\n');
const session = (over: Partial<EarlierSession> = {}): EarlierSession => ({
  agent: 'api/polecats/nux',
  outcome: 'agent_error',
  reason: 'exit code 1: no such file',
  claim: null,
  ...over,
});

describe('what an agent is told beside its bead', () => {
  it('is nothing when there is nothing', () => {
    expect(told({})).toBe('');
  });

  it('names what is done, its convoy, what was tried and where it starts', () => {
    const context = {
      builtOn: [{ id: 'api-aaaaa', title: 'Schema', state: 'merged' }],
      convoy: { id: 'cv-1', others: [{ id: 'api-bbbbb', title: 'Docs ``` x', state: 'open' }], more: 2 },
      earlier: [session(), session({ outcome: 'rejected', reason: null, claim: 'all\ndone \u001B[31m' })],
      leftHead: 'abcdef0123456789',
    };
    expect(told(context)).toMatchInlineSnapshot(`
      "It builds on work that is done and in your worktree:
      \`\`\`text origin=beads
      api-aaaaa (merged): Schema
      \`\`\`

      It is part of the convoy cv-1. Others of it in this rig, done by others; do only your own:
      \`\`\`\`text origin=convoy
      api-bbbbb (open): Docs \`\`\` x
      and 2 more
      \`\`\`\`

      The last sessions at this bead before yours, and how they ended:
      \`\`\`text origin=attempts
      api/polecats/nux, agent_error: exit code 1: no such file
      api/polecats/nux, rejected: it said: all done \\x1b[31m
      \`\`\`

      Your worktree starts from abcdef012345, what an earlier session left. Look at it first ("git log", "git status"); keep what is good."
    `);
  });

  it('puts beads on lines of their own, and the words of a session behind each other', () => {
    const others = ['api-bbbbb', 'api-ccccc'].map((id) => ({ id, title: 'Docs', state: 'open' }));
    expect(told({ convoy: { id: 'cv-1', others, more: 0 } })).toContain(
      '\napi-bbbbb (open): Docs\napi-ccccc (open): Docs\n```',
    );
    expect(told({ earlier: [session({ reason: 'red', claim: 'done' })] })).toContain(
      'agent_error: red; it said: done\n',
    );
  });

  it('cuts what a session said', () => {
    const text = told({ earlier: [session({ reason: 'x'.repeat(10_000) })] });
    expect(text).toContain('x [cut]\n```');
    const size = text.split('agent_error: ')[1]?.indexOf(' [cut]') ?? 0;
    expect(told({ earlier: [session({ reason: 'x'.repeat(size) })] })).not.toContain('[cut]');
    expect(told({ earlier: [session({ reason: 'x'.repeat(size + 1) })] })).toContain('[cut]');
    expect(text.length).toBeLessThan(600);
    expect(told({ convoy: { id: 'cv-1', others: [], more: 0 } })).toBe('It is part of the convoy cv-1.');
    expect(told({ earlier: [session({ reason: null })] })).toContain('\napi/polecats/nux, agent_error\n');
  });
});
