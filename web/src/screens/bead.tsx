import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, type ReactNode } from 'react';
import type { AttemptItem, BeadDetailItem, ReviewItem } from '../../../src/api/contract/beads.ts';
import { useAct } from '../act.ts';
import { part } from '../api.ts';
import { AskedOnce } from '../asked-once.tsx';
import { Ref } from '../links.tsx';
import { Edit } from '../edit.tsx';
import { Age, Asked, Facts, Nothing, Screen, span, StateWord } from '../parts.tsx';
import { WhyText } from '../why.tsx';

const Changes = lazy(async () => ({ default: (await import('../changes.tsx')).Changes }));

/** One bead: its story, attempt by attempt, with the evidence. */
export function Bead(): ReactNode {
  const { id } = useParams({ strict: false }) as { id: string };
  return (
    <Screen title={id}>
      <Asked<BeadDetailItem> name={['bead', id]} path={`beads/${part(id)}`}>
        {(bead) => (
          <div className="flex flex-col gap-3" data-subject-page={bead.id}>
            <Head bead={bead} />
            <section className="card" aria-label="Why">
              <WhyText why={bead.why} />
            </section>
            <Attempts attempts={bead.attempt_list} />
            {bead.review !== null && <Review review={bead.review} />}
            <Work bead={bead} />
            <section className="card" aria-label="Text">
              <h2 className="mb-1 font-semibold">Text</h2>
              {bead.body === '' ? (
                <p className="text-soft">It has none.</p>
              ) : (
                <pre className="overflow-x-auto whitespace-pre-wrap" tabIndex={0}>
                  {bead.body}
                </pre>
              )}
            </section>
          </div>
        )}
      </Asked>
    </Screen>
  );
}

function Head({ bead }: { readonly bead: BeadDetailItem }): ReactNode {
  return (
    <section className="card" aria-label="Bead">
      <h2 className="text-lg">{bead.title}</h2>
      <p className="my-1">
        <StateWord word={bead.phase} />{' '}
        <span className="text-soft">
          {bead.kind}, priority {bead.priority}, by {bead.created_by}
        </span>
      </p>
      <Facts
        of={[
          ['Rig', bead.rig],
          ['Convoy', <Ref key="convoy" id={bead.convoy_id} />],
          ['Agent', <Ref key="agent" id={bead.agent} />],
          [
            'Branch',
            bead.branch === null ? null : (
              <code key="branch">
                {bead.branch} → {bead.target_branch}
              </code>
            ),
          ],
          [
            'Waits for',
            bead.blockers.length === 0
              ? 'nothing'
              : bead.blockers.map((one) => (
                  <span key={one.id}>
                    <Ref id={one.id} /> <StateWord word={one.status} />{' '}
                  </span>
                )),
          ],
          [
            'Rework',
            bead.rework_beads.length === 0
              ? 'none'
              : bead.rework_beads.map((one) => (
                  <span key={one}>
                    <Ref id={one} />{' '}
                  </span>
                )),
          ],
          ['Merged as', bead.evidence === null ? null : <code key="sha">{bead.evidence.merge_sha}</code>],
          ['Changed', <Age key="age" at={bead.updated_at} />],
        ]}
      />
      <Buttons bead={bead} />
      <Edit bead={bead} />
    </section>
  );
}

function Buttons({ bead }: { readonly bead: BeadDetailItem }): ReactNode {
  const { act, isPending } = useAct();
  const path = `beads/${part(bead.id)}`;
  const isOver = bead.status === 'closed' || bead.status === 'failed';
  const button = (name: string, verb: string, said: string, command: string): ReactNode => (
    <button
      type="button"
      className="button"
      disabled={isPending}
      title={command}
      onClick={() => act({ path: `${path}/${verb}`, said })}
    >
      {name}
    </button>
  );
  return (
    <div className="mt-2 flex flex-wrap gap-2">
      {bead.hold === 'staged' && button('Sling', 'sling', 'It runs as soon as it can.', `gt sling ${bead.id}`)}
      {!isOver && bead.hold === null && button('Hold', 'hold', 'It is held.', `gt bead hold ${bead.id}`)}
      {bead.hold !== null &&
        bead.hold !== 'staged' &&
        button('Release', 'release', 'It goes on.', `gt bead release ${bead.id}`)}
      {!isOver && button('Retry now', 'retry', 'It is tried again.', `gt bead retry ${bead.id}`)}
      {!isOver && (
        <AskedOnce
          name="cancel it"
          question="It ends as cancelled: an agent at work is stopped, and what it has is kept."
          title={`gt bead close ${bead.id}`}
          disabled={isPending}
          act={() => act({ path: `${path}/close`, said: 'It is cancelled.' })}
        >
          Cancel
        </AskedOnce>
      )}
      {isOver &&
        bead.reopened_as === null &&
        button('Reopen', 'reopen', 'Its successor takes its place.', `gt bead reopen ${bead.id}`)}
    </div>
  );
}

/** Asked of the runner, so only when somebody looks; the address says that it is open. */
function Work({ bead }: { readonly bead: BeadDetailItem }): ReactNode {
  const navigate = useNavigate();
  const { changes } = useSearch({ strict: false }) as { readonly changes?: boolean };
  const head =
    bead.review?.head_sha ??
    bead.evidence?.merge_sha ??
    bead.attempt_list.findLast((attempt) => attempt.head_sha !== null)?.head_sha ??
    null;
  if (head === null) return null;
  const isOpen = changes === true;
  return (
    <section className="card" aria-label="Changes">
      <div className="mb-1 flex flex-wrap items-baseline justify-between gap-2">
        <h2 className="font-semibold">Changes</h2>
        <button
          type="button"
          className="button"
          aria-expanded={isOpen}
          data-key="d"
          title={`gt bead diff ${bead.id}`}
          onClick={() => void navigate({ to: '.', search: isOpen ? {} : { changes: true }, replace: true })}
        >
          {isOpen ? 'Hide' : 'Show'} <kbd>d</kbd>
        </button>
      </div>
      {isOpen && (
        <Suspense fallback={<p className="text-soft">Loading …</p>}>
          <Changes id={bead.id} version={`${head} ${bead.review?.merge_sha ?? ''}`} />
        </Suspense>
      )}
    </section>
  );
}

function Attempts({ attempts }: { readonly attempts: readonly AttemptItem[] }): ReactNode {
  return (
    <section aria-label="Attempts">
      <h2 className="mb-1 font-semibold">Attempts</h2>
      {attempts.length === 0 ? (
        <Nothing why="Nobody has worked on it yet." />
      ) : (
        <ol className="flex flex-col gap-2">
          {attempts.toReversed().map((attempt) => (
            <li key={attempt.id} className="card" data-row data-subject={attempt.id}>
              <p>
                <StateWord word={attempt.status} /> <Ref id={attempt.id} />{' '}
                <span className="text-soft">
                  by {attempt.agent}, round {attempt.round}
                </span>
              </p>
              <Facts
                of={[
                  ['Began', <Age key="began" at={attempt.started_at} />],
                  ['Took', attempt.ended_at === null ? 'it runs' : span(attempt.ended_at - attempt.started_at)],
                  ['Ended because', attempt.reason],
                  ['Said', attempt.claim_summary],
                  ['Refused because', attempt.claim_refusal],
                  ['Commit', attempt.head_sha === null ? null : <code key="sha">{attempt.head_sha}</code>],
                ]}
              />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Review({ review }: { readonly review: ReviewItem }): ReactNode {
  return (
    <section className="card" aria-label="Merge request">
      <h2 className="mb-1 font-semibold">
        Merge request <Ref id={review.id} />
      </h2>
      <Facts
        of={[
          ['Step', <StateWord key="step" word={review.step} />],
          ['Held because', review.held_reason],
          ['Rounds', review.rounds],
          ['Merged as', review.merge_sha === null ? null : <code key="sha">{review.merge_sha}</code>],
        ]}
      />
      {review.gate_log !== null && (
        <pre className="mt-2 max-h-96 overflow-auto whitespace-pre-wrap" tabIndex={0} aria-label="Output of the gates">
          {review.gate_log}
        </pre>
      )}
    </section>
  );
}
