import type { RigConfig } from '../../core/commands.ts';
import { conflict } from '../../core/errors.ts';
import { refusePassword } from '../../core/remote-url.ts';
import type { Turn } from '../kernel/turn.ts';
import { touchBudgets } from './budget-commands.ts';
import { rigAddress, type TownContext } from './town-context.ts';

/**
 * Takes a rig out of the registry; its row keeps name and prefix from ever meaning another rig. False, and nothing changed,
 * while a message to it is on its way: messages are numbered, and one that is lost would keep all later ones from a rig
 * that is added again.
 */
export function removeRig(town: TownContext, turn: Turn, name: string): boolean {
  if (turn.kernel.isOnTheWay(rigAddress(name))) return false;
  town.sql.all(
    `UPDATE rigs SET config = json_set(config, '$.removed', json('true')), version = version + 1 WHERE name = ?`,
    name,
  );
  return true;
}

/**
 * A prefix is for life: ids minted with it must never mean another rig. An address brings no password in; one that the
 * town has already stays, since it must start with what it started with before. Asked before settings are written or
 * applied, and again when they are applied. Errors: `prefix_fixed`, `prefix_taken`, `password_in_url`.
 */
export function refuseRig(view: Pick<TownContext['view'], 'namesakes'>, config: RigConfig): void {
  const namesakes = view.namesakes(config.name, config.prefix);
  const known = namesakes.find((rig) => rig.name === config.name);
  if (known?.url !== config.url) refusePassword(config.url);
  if (known !== undefined && known.prefix !== config.prefix) {
    throw conflict(
      'prefix_fixed',
      `The rig "${config.name}" has the prefix "${known.prefix}"; a prefix never changes.`,
      `Set prefix = "${known.prefix}" for it.`,
    );
  }
  const other = namesakes.find((rig) => rig.name !== config.name);
  if (other !== undefined) {
    throw conflict(
      'prefix_taken',
      `The prefix "${config.prefix}" belongs to the rig "${other.name}".`,
      `Choose another prefix for the rig "${config.name}".`,
    );
  }
}

/** Registers a rig or updates its settings. Errors: those of `refuseRig`. */
export function putRig(town: TownContext, turn: Turn, config: RigConfig): void {
  refuseRig(town.view, config);
  const isNew = town.view.rig(config.name) === null;
  const isBack = town.view.isRemovedRig(config.name);
  town.sql.all(
    `INSERT INTO rigs (id, name, rig_do_id, git_url, default_branch, prefix, config, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET git_url = excluded.git_url, default_branch = excluded.default_branch, config = excluded.config, version = version + 1
      WHERE config <> excluded.config`,
    config.name,
    config.name,
    rigAddress(config.name),
    config.url,
    config.targetBranch,
    config.prefix,
    JSON.stringify(config),
    turn.nowMs,
  );
  if (isNew) {
    // Also one that was removed and is added again: it was told nothing meanwhile.
    town.landings(turn).look(config.name);
    touchBudgets(town, turn, config.name);
    if (isBack) town.tell(turn, config.name, { type: 'accounts_asked' });
    town.runners.introduce(turn, config.name);
  }
}
