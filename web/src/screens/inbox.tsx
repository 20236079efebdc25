import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { EscalationItem } from '../../../src/api/contract/escalations.ts';
import type { AttentionWire, StatusItem } from '../../../src/api/contract/town.ts';
import { useAct } from '../act.ts';
import { part } from '../api.ts';
import { AskedOnce } from '../asked-once.tsx';
import { pathOf } from '../links.tsx';
import { Age, Asked, Nothing, Screen, StateWord } from '../parts.tsx';

interface Page<T> {
  readonly items: readonly T[];
}

/** What needs a person: one row per decision, worst first. */
export function Inbox(): ReactNode {
  return (
    <Screen title="Inbox">
      <Asked<StatusItem> name={['status']} path="status">
        {(status) => <Sentence status={status} />}
      </Asked>
      <Asked<Page<AttentionWire>> name={['attention']} path="attention">
        {({ items }) =>
          items.length === 0 ? (
            <Nothing
              why="Nothing needs you. What runs is on the screens Agents and Convoys; give out work with"
              command="gt sling"
            />
          ) : (
            <Asked<Page<EscalationItem>> name={['escalations']} path="escalations">
              {(escalations) => <Rows items={items} escalations={escalations.items} />}
            </Asked>
          )
        }
      </Asked>
    </Screen>
  );
}

function Sentence({ status }: { readonly status: StatusItem }): ReactNode {
  const ready = status.rigs.reduce((sum, rig) => sum + rig.ready_beads, 0);
  const moving = status.convoys.length;
  return (
    <p className="mb-3" data-testid="sentence">
      <strong>{status.attention.length} need you.</strong> {status.working_agents} agents working, {ready} beads ready,{' '}
      {status.merged_last_hour} merged in the last hour, {moving} convoys under way. Runner:{' '}
      <StateWord word={status.runner.status} />
    </p>
  );
}

function Rows(props: {
  readonly items: readonly AttentionWire[];
  readonly escalations: readonly EscalationItem[];
}): ReactNode {
  return (
    <ul className="flex flex-col gap-2">
      {props.items.map((item) => (
        <Row
          key={`${item.kind} ${item.subject} ${item.escalation ?? ''}`}
          item={item}
          escalation={props.escalations.find((one) => one.id === item.escalation) ?? null}
        />
      ))}
    </ul>
  );
}

function Row({
  item,
  escalation,
}: {
  readonly item: AttentionWire;
  readonly escalation: EscalationItem | null;
}): ReactNode {
  const page = pathOf(item);
  return (
    <li className="card" data-row data-subject={item.subject}>
      <div className="flex flex-wrap items-baseline justify-between gap-x-3">
        <span className="min-w-0">
          <StateWord word={item.severity} /> <span className="text-soft">{item.kind.replaceAll('_', ' ')}</span>{' '}
          {page === '/' ? (
            <strong tabIndex={-1}>{item.title ?? item.subject}</strong>
          ) : (
            <Link to={page} className="link font-semibold">
              {item.title ?? item.subject}
            </Link>
          )}
        </span>
        <span className="text-soft">
          <Age at={item.since} />
        </span>
      </div>
      <p className="my-1 break-words">{item.sentence}</p>
      {item.acknowledged_by !== null && <p className="text-soft">{item.acknowledged_by} takes care of it.</p>}
      <Actions item={item} escalation={escalation} />
      <p className="mt-1 text-soft">
        In a terminal: <code>{item.command}</code>
      </p>
    </li>
  );
}

function Actions({
  item,
  escalation,
}: {
  readonly item: AttentionWire;
  readonly escalation: EscalationItem | null;
}): ReactNode {
  const { act, isPending } = useAct();
  if (escalation === null) return null;
  const path = `escalations/${part(escalation.id)}`;
  return (
    <div className="flex flex-wrap gap-2">
      {escalation.options.map((option) => (
        <AskedOnce
          key={option.key}
          name={option.name}
          question={option.what}
          title={`gt escalation decide ${escalation.id} ${option.key}`}
          disabled={isPending}
          act={() => act({ path: `${path}/decide`, body: { option: option.key }, said: `${option.name}: said.` })}
        />
      ))}
      {item.acknowledged_by === null && (
        <button
          type="button"
          className="button"
          data-key="a"
          disabled={isPending}
          onClick={() => act({ path: `${path}/ack`, said: 'You take care of it.' })}
        >
          Take care of it <kbd>a</kbd>
        </button>
      )}
      <AskedOnce
        name="it is over"
        question="It leaves the inbox, and comes again only when its cause does."
        title={`gt escalation resolve ${escalation.id}`}
        hotkey="r"
        disabled={isPending}
        act={() => act({ path: `${path}/resolve`, said: 'It is over.' })}
      >
        It is over <kbd>r</kbd>
      </AskedOnce>
    </div>
  );
}
