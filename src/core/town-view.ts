import type { Budget, BudgetPart, BudgetTold } from './budget.ts';
import type { Convoy, ConvoyAddition, ConvoyBead } from './model/convoy.ts';
import type { ConvoyLanding } from './model/landing.ts';
import type { Escalation, EscalationRoute } from './model/escalation.ts';
import type { ConvoyId } from './model/ids.ts';

/** What rules of the town may read. */
export interface TownView {
  convoy(id: ConvoyId): Convoy | null;
  /** Its beads in order of position. */
  convoyBeads(id: ConvoyId): readonly ConvoyBead[];
  /** Additions that are not done. */
  convoyAdditions(id: ConvoyId): readonly ConvoyAddition[];
  /** Its landings in the order of the rigs; empty before it is ready to land. */
  convoyLandings(id: ConvoyId): readonly ConvoyLanding[];
  /** It was taken out of the town and not added again. */
  isRemovedRig(name: string): boolean;
  /** How many failed and cancelled beads a person was asked about already. */
  convoyAskedAbout(id: ConvoyId): number;
  escalation(id: string): Escalation | null;
  /** How it was told, oldest first. */
  escalationRoutes(id: string): readonly EscalationRoute[];
  budget(id: string): Budget | null;
  /** What each rig holds of it, in the order of asking. */
  budgetParts(id: string): readonly BudgetPart[];
  /** True when people know that it is used up. */
  budgetTold(id: string): BudgetTold;
  /** Rigs whose work it counts. */
  budgetRigs(budget: Budget): readonly string[];
  /** What a rig was told of it last; null: nothing yet. */
  budgetTerms(
    id: string,
    rig: string,
  ): { readonly amount: number; readonly spent: number; readonly reserved: number } | null;
}
