import { TownError } from '../../core/errors.ts';

export const describe = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

export const stopping = (): TownError =>
  new TownError('busy', 'stopping', {
    message: 'The town is stopping and takes no more work.',
    next: 'Try again when it is up ("gt up").',
  });

export const storageFailed = (address: string, cause: unknown): TownError =>
  new TownError(
    'busy',
    'storage_failed',
    {
      message: `The database of ${address} could not be written: ${describe(cause)}. Nothing was changed.`,
      next: 'Check the disk (space, permissions), then try again.',
    },
    { cause },
  );
