import { useState, type ReactNode } from 'react';

/**
 * A button for what can't be taken back: it asks once before it is done. The way out stands where the button was and has
 * the focus, so that neither a double click nor a key held down answers for the person.
 */
export function AskedOnce(props: {
  readonly name: string;
  /** What is said on the button, when it is more than its name. */
  readonly children?: ReactNode;
  /** What it does, as a sentence. */
  readonly question: string;
  /** The command that does the same. */
  readonly title?: string;
  /** A key that presses it. */
  readonly hotkey?: string;
  readonly disabled: boolean;
  readonly act: () => void;
}): ReactNode {
  const [isAsked, setIsAsked] = useState(false);
  if (!isAsked)
    return (
      <button
        type="button"
        className="button"
        title={props.title}
        data-key={props.hotkey}
        disabled={props.disabled}
        onClick={() => setIsAsked(true)}
      >
        {props.children ?? props.name}
      </button>
    );
  return (
    <div role="group" aria-label={props.question} className="flex flex-wrap items-baseline gap-2">
      <button type="button" className="button" autoFocus onClick={() => setIsAsked(false)}>
        No, leave it
      </button>
      <button
        type="button"
        className="button"
        title={props.title}
        disabled={props.disabled}
        onClick={() => {
          setIsAsked(false);
          props.act();
        }}
      >
        Yes, {props.name}
      </button>
      <span>{props.question}</span>
    </div>
  );
}
