import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { AgentItem } from '../../../src/api/contract/agents.ts';
import { part } from '../api.ts';
import { Ref } from '../links.tsx';
import { Age, Asked, Facts, Nothing, Screen, StateWord } from '../parts.tsx';

export function Agents(): ReactNode {
  return (
    <Screen title="Agents">
      <Asked<{ items: readonly AgentItem[] }> name={['agents']} path="agents">
        {({ items }) =>
          items.length === 0 ? (
            <Nothing
              why="There is no agent yet: the first comes with the first work. Give some out with"
              command="gt sling"
            />
          ) : (
            <ul className="grid gap-2 sm:grid-cols-2 xl:grid-cols-3">
              {items.map((agent) => (
                <li key={agent.id} className="card" data-row data-subject={agent.id}>
                  <p>
                    <Link to={`/agents/${part(agent.id)}`} className="link font-semibold">
                      {agent.id}
                    </Link>{' '}
                    <StateWord word={agent.status} />
                  </p>
                  <Facts
                    of={[
                      ['Bead', <Ref key="hook" id={agent.hook} />],
                      ['Last sign', <Age key="age" at={agent.last_activity_at} />],
                      ['Does', agent.status_message ?? agent.last_event_type],
                      ['Runtime', agent.runtime],
                    ]}
                  />
                </li>
              ))}
            </ul>
          )
        }
      </Asked>
    </Screen>
  );
}
