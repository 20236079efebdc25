import type { TownService } from '../src/actors/town-service.ts';
import { NoAnswer } from './wire.ts';

/** Where calls to the brain arrive: whichever process of it is there at that moment, if any. */
export class BrainDoor {
  #open: TownService | null = null;

  set(service: TownService | null): void {
    this.#open = service;
  }

  get isOpen(): boolean {
    return this.#open !== null;
  }

  service<T>(work: (town: TownService) => Promise<T>): Promise<T> {
    const town = this.#open;
    if (town === null) return Promise.reject(new NoAnswer('the brain is down'));
    return work(town);
  }

  /** The present service, for checks that are no calls. */
  get town(): TownService | null {
    return this.#open;
  }
}
