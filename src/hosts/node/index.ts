export { Daemon } from './daemon.ts';
export type { DaemonOptions } from './daemon.ts';
export { SqliteSql } from './sql-sqlite.ts';
export { nodePorts } from './host-ports.ts';
