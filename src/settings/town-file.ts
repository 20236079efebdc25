import type { Budget } from '../core/budget.ts';
import type { Caller, RigConfig, RigDrain, RigSettings } from '../core/commands.ts';
import { conflict, notFound, precondition } from '../core/errors.ts';
import { refuseStale, textTag } from '../core/etag.ts';
import type { RigName } from '../core/model/ids.ts';
import type { MayorConfig } from '../core/model/mayor.ts';
import type { RigRemoval, RigSummary } from '../core/queries.ts';
import { changedText, droppedText, mendable } from './change-text.ts';
import { settingChanges, type KeyChange } from './explain.ts';
import { refuseNew } from './refuse-new.ts';
import { rigChanges, withRigSection, type RigSectionText } from './rig-section.ts';
import { parseSettings, type Environment, type Settings } from './settings.ts';

/** How the file is called in every error, wherever it lies. */
const NAME = 'gastown.toml';

/** Where the text of the file is kept. */
export interface FileStore {
  read(): string;
  write(text: string): void;
}

/** What settings are applied to. */
export interface Configured {
  addRig(config: RigConfig): Promise<RigSummary>;
  removeRig(name: RigName, drain: RigDrain, caller: Caller): Promise<RigRemoval>;
  /** Whether `configure` would take these rigs; nothing changes. Errors: `prefix_fixed`, `prefix_taken`. */
  mustTake(rigs: readonly RigConfig[]): void;
  configure(rigs: readonly RigConfig[], budgets: readonly Budget[]): Promise<void>;
  configureMayor(config: MayorConfig | null): Promise<void>;
}

/** The version that a change is meant for. Errors of each that takes it: `stale`. */
type Meant = Pick<Caller, 'ifMatch'>;

/** The file, and what of it has no effect on this host. */
export interface FileState {
  readonly text: string;
  readonly withoutEffect: readonly string[];
}

export interface TownFileOptions {
  readonly store: FileStore;
  readonly town: Configured;
  readonly env: Environment;
  /** Sentences about settings that this host can't keep. */
  readonly refuses: (settings: Settings) => readonly string[];
}

/**
 * The settings of a town on a host without files: the same text as `gastown.toml`, checked by the same parser, kept
 * where the host keeps it. Changes come one after the other; each is checked, applied and then written, so that a crash
 * in between leaves something that a repeat completes.
 */
export class TownFile {
  readonly #options: TownFileOptions;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: TownFileOptions) {
    this.#options = options;
  }

  state(): FileState {
    const { store, refuses } = this.#options;
    const text = store.read();
    return { text, withoutEffect: refuses(this.#parse(text)) };
  }

  settings(): Settings {
    return this.#parse(this.#options.store.read());
  }

  /** Changes settings by their keys, all or none. Errors: `unknown_setting`, `bad_config`, `not_on_this_host`. */
  change(changes: readonly KeyChange[], meant: Meant = {}): Promise<FileState> {
    return this.#oneByOne(() => {
      const before = this.#options.store.read();
      refuseStale(meant, NAME, textTag(before));
      const at = settingChanges(before, changes);
      return this.#replace(before, changedText(before, at, NAME));
    });
  }

  /** The whole file anew. Errors: as for `change`. */
  replace(text: string, meant: Meant = {}): Promise<FileState> {
    return this.#oneByOne(() => {
      const before = this.#options.store.read();
      refuseStale(meant, NAME, textTag(before));
      return this.#replace(before, text);
    });
  }

  /** `apply`, for somebody who looks at what came out. */
  async reload(): Promise<FileState> {
    await this.apply();
    return this.state();
  }

  /** Applies the file as it is, whatever of it this host can't keep. */
  apply(): Promise<void> {
    return this.#oneByOne(() => this.#apply(this.settings()));
  }

  /** Registers a rig and writes its section. Errors: `rig_exists`, those of the parser, of `refuseNew` and of the registry. */
  addRig(section: RigSectionText): Promise<RigSummary> {
    return this.#oneByOne(async () => {
      const before = this.#options.store.read();
      if (this.#rig(before, section.name) !== undefined)
        throw conflict('rig_exists', `There is a rig "${section.name}" already.`, 'Choose another name.');
      const text = withRigSection(before, section);
      const config = this.#rig(text, section.name);
      if (config === undefined)
        throw precondition('bad_config', `${NAME} has no place for this rig.`, 'Check its end.');
      refuseNew(this.#parse(before), this.#parse(text));
      const answer = await this.#options.town.addRig(config);
      this.#options.store.write(text);
      return answer;
    });
  }

  /** Errors: `rig_not_found`, those of the parser and of `first`, which is asked in line. */
  changeRig(name: RigName, settings: RigSettings, first?: () => Promise<void>): Promise<RigSummary> {
    return this.#oneByOne(async () => {
      await first?.();
      return this.#changeRig(name, settings);
    });
  }

  /** A rig that drains is parked first; its section goes when it is removed. */
  removeRig(name: RigName, drain: RigDrain, caller: Caller): Promise<RigRemoval> {
    return this.#oneByOne(async () => {
      const { store, town } = this.#options;
      if (drain === true && this.#rig(store.read(), name) !== undefined) await this.#changeRig(name, { parked: true });
      const answer = await town.removeRig(name, drain, caller);
      const text = answer.status === 'removed' ? droppedText(store.read(), ['rigs', name], NAME) : null;
      if (text !== null) store.write(text);
      return answer;
    });
  }

  async #changeRig(name: RigName, settings: RigSettings): Promise<RigSummary> {
    const { store, town } = this.#options;
    const before = store.read();
    if (this.#rig(before, name) === undefined) throw notFound('rig', name);
    const text = changedText(before, rigChanges(name, settings), NAME);
    const config = this.#rig(text, name);
    if (config === undefined) throw notFound('rig', name);
    refuseNew(this.#parse(before), this.#parse(text));
    const answer = await town.addRig(config);
    store.write(text);
    return answer;
  }

  async #replace(before: string, text: string): Promise<FileState> {
    const settings = this.#parse(text);
    const former = mendable(before, () => this.#parse(before));
    if (former !== null) refuseNew(former, settings);
    const known = new Set(former === null ? [] : this.#options.refuses(former));
    const refused = this.#options.refuses(settings);
    // What a moved town brought along may stay; nothing new of it is taken.
    const fresh = refused.find((sentence) => !known.has(sentence));
    if (fresh !== undefined) throw precondition('not_on_this_host', fresh, 'Leave that setting out.');
    await this.#apply(settings);
    this.#options.store.write(text);
    return { text, withoutEffect: refused };
  }

  async #apply(settings: Settings): Promise<void> {
    // All or none: a rig that is refused must not leave the rigs before it changed.
    this.#options.town.mustTake(settings.rigs);
    await this.#options.town.configure(settings.rigs, settings.budgets);
    await this.#options.town.configureMayor(settings.mayor);
  }

  readonly #parse = (text: string): Settings => parseSettings(text, NAME, this.#options.env);

  readonly #rig = (text: string, name: string): RigConfig | undefined =>
    this.#parse(text).rigs.find((rig) => rig.name === name);

  #oneByOne<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#queue.then(work, work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}
