import { useMutation, useQueryClient } from '@tanstack/react-query';
import { toast } from 'sonner';
import { change, TownProblem } from './api.ts';

interface Act {
  readonly path: string;
  readonly body?: unknown;
  /** What is said when it is done. */
  readonly said: string;
}

/** A change by a person: pending until the town answers, and told when it says no. */
export function useAct(): { readonly isPending: boolean; readonly act: (what: Act) => void } {
  const queries = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: (what: Act) => change(what.path, what.body ?? {}),
    onSuccess: (_answer, what) => toast.success(what.said),
    onError: (error) => {
      const next = error instanceof TownProblem ? ` ${error.next}` : '';
      toast.error(`${error.message}${next}`);
    },
    onSettled: () => queries.invalidateQueries(),
  });
  return { isPending, act: mutate };
}
