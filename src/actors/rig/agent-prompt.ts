import { EARLIER_SESSIONS_TOLD, NEIGHBOURS_TOLD } from '../../core/limits.ts';
import { branchName } from '../../core/model/agent.ts';
import type { Bead } from '../../core/model/bead.ts';
import type { AgentId } from '../../core/model/ids.ts';
import { reviewPrompt } from '../../core/review-prompt.ts';
import { must } from '../../core/assert.ts';
import { polecatPrompt } from '../../core/prompt.ts';
import { RESTARTING_RUNTIMES } from '../../core/runtimes.ts';
import type { WorkContext } from '../../core/work-context.ts';
import { clearedBlockers, convoyNeighbours, earlierSessions } from '../../store/neighbour-queries.ts';
import type { RigContext } from './rig-context.ts';

/** Whose prompt it is, and about what. */
export interface Told {
  readonly agent: AgentId;
  readonly bead: Bead;
  readonly source: Bead;
  readonly checkpoint: string | null;
  readonly runtime: string;
}

/** What a polecat is told: the same at its start and when it asks again (`gt prime`), but for its mail. */
export function agentPrompt(rig: RigContext, told: Told, mail: string | null): string {
  const { agent, bead, source, checkpoint, runtime } = told;
  const { view } = rig;
  if (bead.kind === 'review') return reviewerPrompt(rig, source, mail);
  return polecatPrompt({
    agent,
    bead,
    source,
    config: view.config(),
    branch: view.reviewOf(source.id)?.branch ?? branchName(source.id),
    checkpoint,
    context: contextOf(rig, bead, runtime),
    molecule: view.molecule(bead.id),
    mail,
  });
}

/** What a review agent is told: the work that is in review, what was said of it, and how its gates were. */
function reviewerPrompt({ sql, view }: RigContext, source: Bead, mail: string | null): string {
  const config = view.config();
  const review = must(view.reviewOf(source.id), 'a review is about a merge request');
  const prompt = reviewPrompt({
    rig: { name: config.name, url: config.url, gates: config.gates.map(({ name }) => name) },
    bead: source,
    isAgent: true,
    branch: review.branch,
    target: review.targetBranch,
    head: review.headSha,
    strategy: review.strategy,
    step: 'in review',
    rounds: review.rounds,
    gateLog: review.gateLog,
    claims: earlierSessions(sql, source.id, EARLIER_SESSIONS_TOLD).flatMap(({ agent, claim }) =>
      claim === null || claim === '' ? [] : [{ agent, summary: claim }],
    ),
  });
  return mail === null ? prompt : `${prompt}\n${mail}\n`;
}

function contextOf(rig: RigContext, bead: Bead, runtime: string): WorkContext {
  const { sql, view } = rig;
  const convoy = bead.convoyId === null ? null : convoyNeighbours(sql, bead.convoyId, bead.id, NEIGHBOURS_TOLD);
  return {
    earlier: earlierSessions(sql, bead.id, EARLIER_SESSIONS_TOLD),
    // A recipe starts over, so what was left is not in its worktree.
    leftHead: RESTARTING_RUNTIMES.has(runtime) ? null : (view.earlierWork(bead.id)?.head ?? null),
    builtOn: clearedBlockers(sql, bead.id, NEIGHBOURS_TOLD),
    convoy: bead.convoyId === null || convoy === null ? null : { id: bead.convoyId, ...convoy },
  };
}
