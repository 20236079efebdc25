import { readFileSync } from 'node:fs';
import type { Gate } from '../../core/commands.ts';
import { GATE_TIMEOUT_MS } from '../../core/limits.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { parseConfig } from './config.ts';
import type { TownPaths } from './town-files.ts';

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
export function rigSectionToml(section: RigSectionText): string {
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

/**
 * Appends a rig's section to `gastown.toml` as text, so that the person's own comments and order stay. The result is
 * checked before it replaces the file. Errors: those of `parseConfig`.
 */
export function appendRigSection(paths: TownPaths, section: RigSectionText, env: NodeJS.ProcessEnv): void {
  const before = readFileSync(paths.config, 'utf8');
  const gap = before.endsWith('\n') || before === '' ? '\n' : '\n\n';
  const after = `${before}${gap}${rigSectionToml(section)}`;
  parseConfig(after, paths, env);
  writeFileAtomic(paths.config, after);
}
