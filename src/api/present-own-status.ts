import type { MoleculeStep } from '../core/model/molecule.ts';
import type { AgentSummary, BeadDetail, HookView } from '../core/queries.ts';
import type { OwnStatusItem } from './contract/own-work.ts';
import { presentWhy } from './present.ts';

interface OwnStatus {
  readonly hook: HookView;
  readonly bead: BeadDetail;
  readonly agent: AgentSummary;
  readonly unreadMail: number;
}

export function presentOwnStatus({ hook, bead, agent, unreadMail }: OwnStatus): OwnStatusItem {
  const open = (step: MoleculeStep): boolean => step.status === 'open';
  return {
    agent: hook.agent,
    status: agent.status,
    attempt: hook.attempt,
    epoch: hook.epoch,
    round: hook.round,
    bead: { id: bead.id, title: bead.title, status: bead.status, phase: bead.phase },
    branch: bead.branch,
    target_branch: bead.targetBranch,
    why: presentWhy(bead.why),
    unread_mail: unreadMail,
    has_checkpoint: hook.checkpoint !== null,
    open_steps:
      bead.molecule?.steps
        .filter(open)
        .map((step) => ({ number: step.number, title: step.title, optional: !step.isRequired })) ?? null,
  };
}
