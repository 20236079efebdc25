import { describe, expect, it } from 'vitest';
import type { StatusItem } from '../../api/contract/town.ts';
import { keysOf, press } from './keys.ts';
import type { TownClient } from '../town-client.ts';
import { Reader } from './reader.ts';
import { screenOf, textOf } from './screen.ts';
import { START, type TopState, type TownNow } from './state.ts';
import { fitted, widthOf } from './text-width.ts';

const style = { color: false, terminal: true, nowMs: 1_000_000 };
const item = (subject: string, severity: string, title: string) => ({
  kind: 'bead',
  severity,
  subject,
  title,
  sentence: 'It failed.',
  since: 940_000,
  command: `gt bead retry ${subject}`,
  escalation: null,
  acknowledged_by: null,
});
const HOSTILE = 'x\u001b]0;pwn\u0007\u001b[2J\u009b31m\u202e漢字\r\n'.repeat(4);
const town = {
  status: {
    name: 'shop\u001b[2J',
    rigs: [{ id: 'app', status: 'parked', ready_beads: 2 }],
    convoys: [],
    working_agents: 1,
    merged_last_hour: 3,
    attention: [item('app-aaaaa', 'high', 'one'), item('app-bbbbb', 'low', HOSTILE), item('app-ccccc', 'low', 'three')],
  } as unknown as StatusItem,
  agents: [],
  queue: [],
  costs: null,
} satisfies TownNow;
const state: TopState = { ...START, town, link: { word: 'Live', asOfMs: 1_000_000 } };
const after = (keys: readonly string[], from: TopState = state): TopState =>
  keys.reduce((now, key) => press(now, key, style).state, from);
const focused = (now: TopState): string | undefined =>
  screenOf(now, { columns: 80, rows: 24 }, style).find((line) => line.startsWith('>'));

describe('the keys of gt top', () => {
  it('are what a terminal sends, one by one, and nothing that nobody knows', () => {
    expect(keysOf('jk\x1b[A\x1bOB\x1b[Z\t\r\x7f\x1b')).toEqual([
      'j',
      'k',
      'up',
      'down',
      'backtab',
      'tab',
      'enter',
      'backspace',
      'escape',
    ]);
    expect(keysOf('\x1b[99;1~\x1b[200~q\x03')).toEqual(['q', 'interrupt']);
  });

  it('walk the rows and stop at both ends', () => {
    expect(focused(after(['k']))).toContain('app-aaaaa');
    expect(focused(after(['j']))).toContain('app-bbbbb');
    expect(focused(after(['j', 'j', 'j', 'down']))).toContain('app-ccccc');
    expect(focused(after(['G', 'up']))).toContain('app-bbbbb');
  });

  it('keep the row in focus when others come and go', () => {
    const later = { ...town, status: { ...town.status, attention: town.status.attention.slice(1) } };
    expect(focused({ ...after(['j']), town: later })).toContain('app-bbbbb');
    expect(focused({ ...after(['k']), town: later })).toContain('app-bbbbb');
  });

  it('lead to the lists as in the dashboard, and back to what needs you', () => {
    expect(after(['g', 'a']).tab).toBe('agents');
    expect(after(['g', '$']).tab).toBe('costs');
    expect(after(['g', 'x']).tab).toBe('inbox');
    expect(after(['4']).tab).toBe('train');
    expect(after(['backtab']).tab).toBe('costs');
    expect(after(['3', 'n']).tab).toBe('inbox');
    expect(focused(after(['3', 'n', 'n']))).toContain('app-bbbbb');
    expect(focused(after(['G', 'n']))).toContain('app-aaaaa');
  });

  it('filter while they are typed, also letters that mean something else', () => {
    const typing = after(['/', 'A', 'A', 'A', 'Q']);
    expect([typing.filter, typing.tab]).toEqual(['AAAQ', 'inbox']);
    const found = after(['backspace', 'enter'], typing);
    expect(focused(found)).toContain('app-aaaaa');
    expect(screenOf(typing, { columns: 80, rows: 24 }, style).join('\n')).toContain('No row has that');
    expect(focused(after(['escape'], typing))).toContain('app-aaaaa');
  });

  it('ask for what is in focus, and for nothing where nothing is', () => {
    expect(press(state, 'w', style).wish).toEqual({ type: 'why', subject: 'app-aaaaa' });
    expect(press(after(['j']), 'enter', style).wish).toEqual({ type: 'open', subject: 'app-bbbbb' });
    expect(press(after(['3']), 'w', style).wish).toBeNull();
    expect(press(after(['5']), 'enter', style).wish).toBeNull();
    expect(press(state, 'q', style).wish).toEqual({ type: 'quit' });
    expect(press(after(['/']), 'q', style).wish).toBeNull();
  });
});

describe('the screen of gt top', () => {
  it.each([
    [80, 24],
    [200, 60],
    [40, 10],
    [20, 3],
    [1, 1],
  ])('fills %i columns and %i rows exactly, whatever is on it', (columns, rows) => {
    for (const keys of [[], ['?'], ['2'], ['3'], ['5'], ['/', 'x'], ['g']]) {
      const lines = screenOf(after(keys), { columns, rows }, style);
      expect(lines).toHaveLength(rows);
      for (const line of lines) expect(widthOf(line), JSON.stringify(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('lets nothing that others wrote drive the terminal', () => {
    const lines = [...screenOf(state, { columns: 120, rows: 24 }, style), ...textOf(town, style).split('\n')];
    for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/u);
    expect(lines.join('\n')).toContain('\\x1b]0;pwn');
  });

  it('says the state in words, and needs no colour for it', () => {
    const plainText = screenOf(state, { columns: 120, rows: 24 }, style).join('\n');
    expect(plainText).not.toContain('\u001b');
    expect(plainText).toContain('● Live');
    expect(plainText).toContain('3 need you, 1 working, 2 ready, 0 to merge, 3 merged within the hour, app parked.');
  });

  it('moves through a sheet that is longer than the screen, and not through the list behind it', () => {
    const lines = Array.from({ length: 50 }, (_, line) => `line ${String(line)}`);
    const size = { columns: 60, rows: 24 };
    let open: TopState = { ...state, sheet: { kind: 'lines', title: 'why', lines } };
    const shown = (): string => screenOf(open, size, style).join('\n');
    expect(shown()).toMatch(/line 0\n[^]*more lines: j, PgDn\. Esc closes\./);
    open = press(open, 'pagedown', style).state;
    expect(shown()).toMatch(/why\s+line 10\b/);
    open = press(open, 'G', style).state;
    expect(shown()).toMatch(/line 49\s+Esc closes\./);
    expect(open.focus).toEqual(state.focus);
  });

  it('counts the columns of pictures, and lets no tab through', () => {
    expect(['✅', '⚡', '☕', '漢', 'é', '→'].map(widthOf)).toEqual([2, 2, 2, 2, 1, 1]);
    const tabbed: TopState = { ...state, sheet: { kind: 'lines', title: 'why', lines: ['a\tb'] } };
    expect(screenOf(tabbed, { columns: 60, rows: 24 }, style).join('\n')).toContain('a b');
  });

  it('says why a town refuses, and what to do', () => {
    const reason = ['The token is not known here.', 'Take the one that "gt up" wrote.'];
    const refused: TopState = { ...START, link: { word: 'Refused', asOfMs: 0, reason } };
    const text = screenOf(refused, { columns: 60, rows: 20 }, style).join('\n');
    expect(text).toMatch(/Refused[^]*The token is not known here\.\s+Take the one/);
    expect(screenOf(START, { columns: 60, rows: 20 }, style).join('\n')).toContain('Waiting for the town.');
  });

  it('shows old figures as old, and what could not be read not as nothing', () => {
    const away: TopState = { ...state, link: { word: 'Offline', asOfMs: 0 } };
    expect(screenOf(away, { columns: 80, rows: 24 }, style)[0]).toMatch(/○ Offline, as of \d\d:\d\d:\d\d$/);
    expect(screenOf(after(['5']), { columns: 80, rows: 24 }, style).join('\n')).toContain('Costs are unavailable');
    expect(screenOf(START, { columns: 80, rows: 24 }, style).join('\n')).toContain('Nothing was read yet');
  });

  it('keeps the focus in sight in a long list', () => {
    const attention = Array.from({ length: 300 }, (_, at) => item(`app-${String(at).padStart(5, '0')}`, 'low', 't'));
    const long = { ...state, town: { ...town, status: { ...town.status, attention } as unknown as StatusItem } };
    for (const steps of [0, 5, 150, 299]) {
      const now = Array.from({ length: steps }, () => 'j').reduce<TopState>(
        (one, key) => press(one, key, style).state,
        long,
      );
      expect(focused(now)).toContain(`app-${String(steps).padStart(5, '0')}`);
    }
  });

  it('measures wide and combined characters as a terminal does', () => {
    expect([widthOf('漢字'), widthOf('e\u0301'), widthOf('🙂'), widthOf('\u001b[1ma\u001b[0m')]).toEqual([4, 1, 2, 1]);
    for (const columns of [0, 1, 2, 3, 4, 5]) expect(widthOf(fitted('漢字漢字', columns))).toBe(columns);
  });
});

describe('what gt top opens', () => {
  it('is shown as text, whatever it holds, and bounded', async () => {
    const bead = {
      id: 'app-7k3qf',
      title: HOSTILE,
      phase: 'needs_human',
      priority: 'low',
      agent: null,
      attempt_list: [],
      body: `\u001b[31mred\n${'line\n'.repeat(100)}`,
      why: { sentence: 'It failed\u001b[2J.' },
    };
    const asked: string[] = [];
    const client = {
      get: (path: string) => {
        asked.push(path);
        return Promise.resolve(bead);
      },
    } as unknown as TownClient;
    const lines = await new Reader(client, true).open('app-7k3qf');
    expect(asked).toEqual(['beads/app-7k3qf']);
    for (const line of lines) expect(line).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/u);
    expect(lines).toContain('\\x1b[31mred');
    expect(lines.at(-1)).toMatch(/^… \d+ more lines$/);
  });
});
