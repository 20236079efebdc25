import type { BeadDetailItem } from '../../api/contract/beads.ts';
import type { RigItem } from '../../api/contract/rigs.ts';
import { precondition } from '../../core/errors.ts';
import { reviewPrompt } from '../../core/review-prompt.ts';
import type { CommandSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { clientOf, segment } from '../town-client.ts';

export const review: CommandSpec = {
  usage: 'gt review <id>',
  summary: 'what a reviewer of a branch must know, as a prompt for you or for your assistant',
  examples: ['gt review app-7k3qf', 'claude "$(gt review app-7k3qf)"'],
  args: ['<id>'],
  notes: 'The verdict is given with "gt approve" or "gt request-changes", or with the tools of the same names.',
  run: async (context, args) => {
    const client = clientOf(context);
    const bead = await client.get<BeadDetailItem>(`beads/${segment(args.at(0))}`);
    if (bead.review === null)
      throw precondition(
        'not_in_review',
        `${bead.id} has no merge request. ${bead.why.sentence}`,
        `See "gt why ${bead.id}".`,
      );
    const rigs = (await client.get<{ items: readonly RigItem[] }>('rigs')).items;
    const rig = rigs.find(({ id }) => id === bead.rig);
    const { branch, target_branch: target, head_sha: head, strategy, step, rounds, gate_log: gateLog } = bead.review;
    const prompt = reviewPrompt({
      rig: { name: bead.rig, url: rig?.url ?? '', gates: rig?.gates ?? [] },
      bead,
      branch,
      target,
      head,
      strategy,
      step,
      rounds,
      gateLog,
      claims: bead.attempt_list.flatMap(({ agent, claim_summary: summary }) =>
        summary === null || summary === '' ? [] : [{ agent, summary }],
      ),
    });
    context.print(context.json ? JSON.stringify({ bead: bead.id, prompt }) : prompt.trimEnd());
    return EXIT.ok;
  },
};
