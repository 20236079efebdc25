import { z } from 'zod';

import { ALLOWED_HOST_CHARS_MAX, ALLOWED_HOSTS_MAX, ISOLATIONS, NETWORKS } from '../../core/model/isolation.ts';

const path = z.string().min(1).max(4_096);
/** How a process is shut in. */
export const sandboxSchema = z.object({
  kind: z.enum(ISOLATIONS).exclude(['none']),
  network: z.union([z.enum(NETWORKS), z.array(z.string().min(1).max(ALLOWED_HOST_CHARS_MAX)).max(ALLOWED_HOSTS_MAX)]),
  command: z.string().max(4_096).nullable(),
  image: z.string().max(1_000).nullable(),
  read: z.array(path).max(100),
  write: z.array(path).max(100),
});
const bytes = z.number().int().positive().nullable();
/** What one attempt may use; null: no limit of ours. */
export const limitsSchema = z.object({ memoryBytes: bytes, diskBytes: bytes });
