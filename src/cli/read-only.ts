import { openLocalApp } from '../hosts/node/local-gateway.ts';
import type { LocalApp } from '../hosts/node/local-gateway.ts';
import { makeTownService } from '../hosts/node/make-service.ts';
import type { Town } from '../hosts/node/town-files.ts';

/** Opens the town for reading in this process. Loaded only when no daemon answers. */
export function openReadOnly(town: Town): Promise<LocalApp> {
  return openLocalApp(town, makeTownService);
}
