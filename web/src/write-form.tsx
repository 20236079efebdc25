import { useState, type ReactNode } from 'react';
import { toast } from 'sonner';
import { TownProblem } from './api.ts';

/**
 * A text that is sent. What was written goes away only when the town took it: a refusal is said below the text, with
 * the town's next step.
 */
export function WriteForm(props: {
  readonly label: string;
  readonly button: ReactNode;
  /** The command that does the same. */
  readonly command?: string;
  /** Something else is sent with it, so that the text may be empty. */
  readonly mayBeEmpty?: boolean;
  /** What a refusal leaves, with its verb: "Your remarks are". */
  readonly kept: string;
  /** Sends it and answers what to say of it. Errors: what the town refused. */
  readonly send: (text: string) => Promise<string>;
}): ReactNode {
  const [text, setText] = useState('');
  const [said, setSaid] = useState<string | null>(null);
  const [isSending, setIsSending] = useState(false);
  const send = async (): Promise<void> => {
    setIsSending(true);
    setSaid(null);
    try {
      toast.success(await props.send(text));
      setText('');
    } catch (error) {
      const next = error instanceof TownProblem ? ` ${error.next}` : '';
      setSaid(`${error instanceof Error ? error.message : String(error)}${next} ${props.kept} still here.`);
    } finally {
      setIsSending(false);
    }
  };
  return (
    <form
      className="flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <label className="flex flex-col">
        {props.label}
        <textarea
          className="min-h-16 rounded border border-line bg-ground px-2 py-1"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      {said !== null && (
        <p role="alert" className="text-bad">
          {said}
        </p>
      )}
      <div>
        <button
          type="submit"
          className="button"
          title={props.command}
          disabled={isSending || (props.mayBeEmpty !== true && text.trim() === '')}
        >
          {props.button}
        </button>
      </div>
    </form>
  );
}
