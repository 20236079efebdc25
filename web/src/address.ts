import { useNavigate, useSearch } from '@tanstack/react-router';

/** A word of the address: what a list shows is in it, so that a link shows the same, and going back too. Empty: not there. */
export function useAddress(name: string): readonly [string, (value: string) => void] {
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as Readonly<Record<string, unknown>>;
  const value = search[name];
  const set = (next: string): void => {
    const { [name]: _before, ...others } = search;
    void navigate({ to: '.', search: next === '' ? others : { ...others, [name]: next }, replace: true });
  };
  return [typeof value === 'string' || typeof value === 'number' ? String(value) : '', set];
}
