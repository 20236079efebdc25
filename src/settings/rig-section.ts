import type { Gate, RigSettings } from '../core/commands.ts';
import { GATE_TIMEOUT_MS } from '../core/limits.ts';
import type { SettingChange, SettingValue } from './change-text.ts';

/** What a new `[rigs.<name>]` section says; null is left to the town's defaults. */
export interface RigSectionText {
  readonly name: string;
  readonly url: string;
  readonly prefix: string;
  readonly targetBranch: string;
  readonly polecatsMax: number | null;
  readonly runtime: string | null;
  readonly model: string | null;
  readonly command: string | null;
  readonly gates: readonly Gate[];
}

/** The section as TOML. A JSON string is a valid TOML basic string. */
function rigSectionToml(section: RigSectionText): string {
  const quote = (value: string): string => JSON.stringify(value);
  const lines = [
    `[rigs.${section.name}]`,
    `url = ${quote(section.url)}`,
    `prefix = ${quote(section.prefix)}`,
    `target_branch = ${quote(section.targetBranch)}`,
  ];
  if (section.polecatsMax !== null) lines.push(`polecats_max = ${String(section.polecatsMax)}`);
  if (section.runtime !== null) lines.push(`runtime = ${quote(section.runtime)}`);
  if (section.model !== null) lines.push(`model = ${quote(section.model)}`);
  if (section.command !== null) lines.push(`command = ${quote(section.command)}`);
  for (const gate of section.gates) {
    const isPlain = gate.timeoutMs === GATE_TIMEOUT_MS;
    const value = isPlain ? quote(gate.run) : `{ run = ${quote(gate.run)}, timeout = "${String(gate.timeoutMs)}ms" }`;
    lines.push(`gates.${gate.name} = ${value}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The file's text with a rig's section at its end. The caller checks what it says. */
export function withRigSection(before: string, section: RigSectionText): string {
  const gap = before.endsWith('\n') || before === '' ? '\n' : '\n\n';
  return `${before}${gap}${rigSectionToml(section)}`;
}

/** A gate as a request has it. */
export interface GateBody {
  readonly name: string;
  readonly run: string;
  readonly timeout_ms?: number | undefined;
}

export const gatesOf = (gates: readonly GateBody[] | undefined): readonly Gate[] =>
  (gates ?? []).map((gate) => ({ name: gate.name, run: gate.run, timeoutMs: gate.timeout_ms ?? GATE_TIMEOUT_MS }));

/** What must change in a rig's section. */
export function rigChanges(name: string, settings: RigSettings): readonly SettingChange[] {
  const section = ['rigs', name];
  const given: Readonly<Record<string, SettingValue | null | undefined>> = {
    ...settings,
    // Not parked is the default: the line goes, instead of saying what is so anyway.
    ...(settings.parked === false ? { parked: null } : {}),
  };
  return Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [{ section, key, value }]));
}
