import type { Migration } from '../migrate.ts';
import { MAIL_TABLES } from './mail.ts';

/** The mailbox that people read. */
export const TOWN_MAIL: Migration = { id: 3, name: 'mail', statements: MAIL_TABLES };
