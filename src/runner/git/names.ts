import { FORBIDDEN_IN_REF } from '../../core/branch-name.ts';
import { usage } from '../../core/errors.ts';

const URL_SHAPES = /^(?:\/|https?:\/\/|ssh:\/\/|git:\/\/|file:\/\/|[A-Za-z0-9_.-]+@?[A-Za-z0-9_.-]*:)/;
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Checks a full ref name of ours. Errors: `bad_ref`. */
export function checkRef(text: string): string {
  if (!text.startsWith('refs/gt/') || FORBIDDEN_IN_REF.test(text)) {
    throw usage(
      'bad_ref',
      `${JSON.stringify(text.slice(0, 120))} is not a ref of this system.`,
      'Such refs begin with "refs/gt/".',
      'ref',
    );
  }
  return text;
}

/** Checks a repository's address: no option, no remote helper that runs commands. Errors: `bad_url`. */
export function checkUrl(text: string): string {
  if (text.startsWith('-') || CONTROL.test(text) || text.includes('::') || !URL_SHAPES.test(text)) {
    throw usage(
      'bad_url',
      `${JSON.stringify(text.slice(0, 120))} is not a repository address.`,
      'Use an absolute path, https://…, ssh://… or user@host:path.',
      'url',
    );
  }
  return text;
}
