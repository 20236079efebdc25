import type { FileStore } from '../../settings/town-file.ts';
import type { DurableStorage } from './durable.ts';

const KEY = 'gastown.toml';

/** The text of the town's file in the storage of its object; before anybody wrote it, one that only names the town. */
export const settingsStore = (kv: DurableStorage['kv'], name: string): FileStore => ({
  read: () => {
    const text = kv.get(KEY);
    return typeof text === 'string' ? text : `[town]\nname = ${JSON.stringify(name)}\n`;
  },
  write: (text) => {
    kv.put(KEY, text);
  },
});
