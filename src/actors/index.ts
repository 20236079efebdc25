export { TownService } from './town-service.ts';
export type { TownServiceOptions } from './town-service.ts';
