import { useParams } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import type { AgentItem } from '../../../src/api/contract/agents.ts';
import { useAct } from '../act.ts';
import { part } from '../api.ts';
import { Ref } from '../links.tsx';
import { LogView } from '../log.tsx';
import { Age, Asked, Facts, Nothing, Screen, StateWord } from '../parts.tsx';

/** One agent, or one attempt by its id: what it does, and its output as it comes. */
export function Agent(): ReactNode {
  const { id } = useParams({ strict: false }) as { id: string };
  return (
    <Screen title={id}>
      <Asked<AgentItem> name={['agent', id]} path={`agents/${part(id)}`}>
        {(agent) => (
          <div className="flex flex-col gap-3" data-subject-page={id}>
            <section className="card" aria-label="Agent">
              <p className="mb-1">
                <StateWord word={agent.status} />{' '}
                <span className="text-soft">
                  {agent.role} of {agent.rig}
                </span>
              </p>
              <Facts
                of={[
                  ['Bead', <Ref key="hook" id={agent.hook} />],
                  ['Attempt', agent.attempt_id === null ? null : <code key="attempt">{agent.attempt_id}</code>],
                  ['Last sign', <Age key="age" at={agent.last_activity_at} />],
                  ['Runs at', agent.runner_id],
                  ['Tools', agent.active_tools.length === 0 ? 'none' : agent.active_tools.join(', ')],
                ]}
              />
              {agent.hook !== null && <Nudge agent={agent.id} />}
            </section>
            {agent.attempt_id === null && !id.startsWith('at-') ? (
              <Nothing why="It has run nothing yet, so there is no output." />
            ) : (
              <LogView
                key={id.startsWith('at-') ? id : agent.attempt_id}
                attempt={id.startsWith('at-') ? id : (agent.attempt_id ?? id)}
              />
            )}
          </div>
        )}
      </Asked>
    </Screen>
  );
}

function Nudge({ agent }: { readonly agent: string }): ReactNode {
  const [text, setText] = useState('');
  const { act, isPending } = useAct();
  return (
    <form
      className="mt-2 flex gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        act({ path: `agents/${part(agent)}/nudge`, body: { text }, said: 'It is told.' });
        setText('');
      }}
    >
      <label className="flex min-w-0 flex-1 items-center gap-2">
        Tell it
        <input
          className="min-w-0 flex-1 rounded border border-line bg-ground px-2 py-1"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <button type="submit" className="button" disabled={isPending || text.trim() === ''}>
        Nudge
      </button>
    </form>
  );
}
