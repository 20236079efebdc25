import type { BeadKind, BeadType, Bead, Hold, Origin, Priority } from '../core/model/bead.ts';
import type { AgentId, AttemptId, BeadId, RunnerInstance } from '../core/model/ids.ts';
import type { MergeStep } from '../core/model/review.ts';
import type { Estimate } from './spending.ts';
import type { SqlValue } from '../ports/sql.ts';

export interface NewBead {
  readonly id: BeadId;
  readonly type: BeadType;
  readonly kind: BeadKind;
  readonly title: string;
  readonly body: string;
  readonly origin: Origin;
  readonly priority: Priority;
  readonly hold: Hold | null;
  readonly holdReason: string | null;
  readonly parentId: BeadId | null;
  readonly branchOf: BeadId | null;
  readonly convoyId: string | null;
  readonly convoyPosition: number | null;
  readonly targetBranch: string;
  readonly runtime: string | null;
  readonly model: string | null;
  readonly pinnedAgent: string | null;
  readonly createdBy: string;
}

export interface NewAttempt {
  readonly id: AttemptId;
  readonly bead: Bead;
  readonly agent: AgentId;
  readonly epoch: number;
  readonly runtime: string;
  readonly model: string | null;
  readonly round: number;
  readonly runner: string;
  readonly instance: RunnerInstance | null;
  readonly convoy: string | null;
  /** Whose quota it draws on. */
  readonly quotaScope: string;
  readonly estimate: Estimate;
}

export interface ReviewStep {
  readonly from: MergeStep;
  readonly to: MergeStep;
  readonly stepKey: string | null;
  readonly columns: Readonly<Record<string, SqlValue>>;
}
