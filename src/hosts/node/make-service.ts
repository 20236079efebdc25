import { TownService } from '../../actors/town-service.ts';
import type { ServiceFactory } from './service.ts';

/** The real brain on this host. */
export const makeTownService: ServiceFactory = (options) => new TownService(options);
