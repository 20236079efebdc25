/** An agent's `gt` has the rights of its attempt and no more, seen from inside a real agent. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { oneRigTown, WAIT_MS } from './one-rig-town.ts';

const { folder, town, gt } = oneRigTown();

const pause = (ms = 50): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Every row that a call could change, read beside the daemon. */
function rows(): unknown {
  const db = new DatabaseSync(join(town, '.gastown/rigs/app.db'), { readOnly: true });
  try {
    const counted = ['journal', 'inbox', 'outbox', 'attempts'].map((table) =>
      db.prepare(`SELECT COUNT(*) AS n FROM ${table}`).get(),
    );
    return [db.prepare('SELECT id, status, hold, version FROM beads ORDER BY id').all(), counted];
  } finally {
    db.close();
  }
}

/** Runs a recipe as an agent and answers the lines it wrote to its ledger. */
async function asAgent(...lines: readonly string[]): Promise<readonly string[]> {
  const ledger = join(folder, 'ledger');
  writeFileSync(ledger, '');
  writeFileSync(
    join(folder, 'body.md'),
    `\`\`\`gt-script\nL=${ledger}\n${lines.join('\n')}\necho end >> $L\ngt done --no-change "looked around"\n\`\`\`\n`,
  );
  gt('sling', 'look around', '--rig', 'app', '--body-file', join(folder, 'body.md'));
  const untilMs = Date.now() + WAIT_MS;
  for (;;) {
    const text = readFileSync(ledger, 'utf8');
    if (text.includes('end\n') || Date.now() > untilMs)
      return text.split('\n').filter((line) => line !== '' && line !== 'end');
    await pause();
  }
}

describe('an agent', () => {
  it('reads its own bead and hook', async () => {
    const lines = await asAgent(
      'gt hook --json > /dev/null && echo "hook $?" >> $L',
      'gt bead show "$GT_BEAD" --json > /dev/null && echo "bead $?" >> $L',
    );
    expect(lines).toEqual(['hook 0', 'bead 0']);
  });

  it('gets 403 and exit code 6 for everything of the owner, and for other beads', async () => {
    const other = JSON.parse(gt('bead', 'create', 'other', '--rig', 'app', '--json')) as {
      id: string;
      version: number;
    };
    const commands = [
      `bead close ${other.id}`,
      `bead show ${other.id}`,
      'bead list',
      'down',
      'daemon stop',
      `sling ${other.id}`,
      'agents',
    ];
    const lines = await asAgent(
      ...commands.map((command) => `gt ${command} > /dev/null 2>&1 || echo "$? ${command}" >> $L`),
    );
    expect(lines).toEqual(commands.map((command) => `6 ${command}`));
    expect(JSON.parse(gt('bead', 'show', other.id, '--json'))).toMatchObject({
      status: 'open',
      hold: 'staged',
      version: other.version,
    });
  });

  it('gets 401 without and 403 with its token over HTTP, and no row changes', async () => {
    const other = JSON.parse(gt('bead', 'create', 'another', '--rig', 'app', '--json')) as { id: string };
    const { url } = JSON.parse(gt('daemon', 'status', '--json')) as { url: string };
    const token = join(folder, 'token');
    const go = join(folder, 'go');
    const agent = asAgent(`printf %s "$GT_TOKEN" > ${token}`, `until [ -e ${go} ]; do sleep 0.05; done`);
    while (!existsSync(token) || readFileSync(token, 'utf8') === '') await pause();
    await pause(300);
    const before = rows();
    const call = async (path: string, bearer: string | null, method = 'GET'): Promise<number> => {
      const headers = {
        'content-type': 'application/json',
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      };
      const body = method === 'POST' ? { body: '{}' } : {};
      return (await fetch(`${url}/api/v1/towns/_/${path}`, { method, headers, ...body })).status;
    };
    const capability = readFileSync(token, 'utf8');
    const calls: readonly (readonly [string, string])[] = [
      ['beads', 'GET'],
      [`beads/${other.id}/close`, 'POST'],
      [`beads/${other.id}/sling`, 'POST'],
      ['rigs', 'POST'],
      ['runner/facts', 'POST'],
      [`agent/bead/${other.id}`, 'GET'],
    ];
    for (const [path, method] of calls) {
      expect([path, await call(path, null, method)]).toEqual([path, 401]);
      expect([path, await call(path, `${capability}x`, method)]).toEqual([path, 401]);
      expect([path, await call(path, capability, method)]).toEqual([path, 403]);
    }
    expect(await call('agent/hook', capability)).toBe(200);
    expect(rows()).toEqual(before);
    writeFileSync(go, '');
    await agent;
  });

  it('sees and acknowledges the escalations of its own bead, and can resolve none', async () => {
    const lines = await asAgent(
      'gt escalate "no key" > /dev/null',
      'until gt escalation list | grep -q hq-esc; do sleep 0.1; done',
      'id=$(gt escalation list | grep -o "hq-esc-[a-z0-9]*" | head -1)',
      'gt escalation ack $id > /dev/null && echo "ack $?" >> $L',
      'gt escalation resolve $id > /dev/null 2>&1 || echo "resolve $?" >> $L',
      'gt escalation ack hq-esc-00000000 > /dev/null 2>&1 || echo "other $?" >> $L',
    );
    expect(lines).toEqual(['ack 0', 'resolve 6', 'other 4']);
  });

  it("finds none of the town's secrets in its environment", async () => {
    const secrets = Object.values(
      JSON.parse(readFileSync(join(town, '.gastown/secrets.json'), 'utf8')) as Record<string, string>,
    );
    const environment = (await asAgent('env >> $L')).join('\n');
    expect(environment).toContain('GT_TOKEN=');
    for (const secret of secrets) expect(environment).not.toContain(secret);
  });
});
