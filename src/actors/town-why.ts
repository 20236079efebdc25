import { attentionSentence } from '../core/attention.ts';
import { notFound, TownError } from '../core/errors.ts';
import { DAEMON_SUBJECT, RUNNER_SUBJECT } from '../core/model/health.ts';
import {
  isBeadId,
  isConvoyId,
  isEscalationId,
  isMailId,
  parseBeadId,
  parseConvoyId,
  parseEscalationId,
} from '../core/model/ids.ts';
import type { Why } from '../core/queries.ts';
import { whyDaemon, whyEscalation, whyMail, whyRunner } from '../core/why-others.ts';
import type { TownGateway } from '../ports/town-gateway.ts';
import { askAll } from './asked.ts';
import { escalationSummary } from './escalation-service.ts';
import { readAttention } from './town-attention.ts';
import type { TownActors } from './town-actors.ts';

/** What stands before the name of a rig, so that a rig called `runner` can be asked about. */
const RIG_MARK = 'rig:';

/**
 * Why a thing is as it is, whatever kind it is: bead, merge request, convoy, escalation, mail, rig, runner, daemon, agent, or
 * the whole town (`_` or its name). Errors: `bead_not_found` and its like for ids, `id_not_found` for names.
 */
export async function readWhy(town: TownGateway, actors: TownActors, id: string, nowMs: number): Promise<Why> {
  if (id === '_' || id === town.id) return whyTown(town, actors);
  if (isConvoyId(id)) return (await town.getConvoy(parseConvoyId(id))).why;
  if (isEscalationId(id)) return whyOfEscalation(actors, id);
  if (isMailId(id)) return whyOfMail(actors, id);
  if (isBeadId(id)) return (await town.getBead(parseBeadId(id))).why;
  return whyOfName(town, actors, id, nowMs);
}

/** What has a name of its own: the daemon, the runner, a rig, an agent. */
async function whyOfName(town: TownGateway, actors: TownActors, id: string, nowMs: number): Promise<Why> {
  if (id === DAEMON_SUBJECT) return whyDaemon(!actors.readOnly, actors.refusedSettings?.() ?? null);
  if (id === RUNNER_SUBJECT) return whyLocalRunner(actors);
  const rig = actors.rig(id.startsWith(RIG_MARK) ? id.slice(RIG_MARK.length) : id);
  if (rig !== null && (await rig.view.hasConfig())) return rig.queries.whyRig(nowMs);
  return whyOfAgent(town, actors, id);
}

const whyLocalRunner = (actors: TownActors): Why =>
  whyRunner(
    actors.town.health().find((item) => item.subject === RUNNER_SUBJECT) ?? null,
    actors.runnerTrouble?.() ?? null,
  );

async function whyOfAgent(town: TownGateway, actors: TownActors, id: string): Promise<Why> {
  const agent = await town.findAgent(id).catch((error: unknown) => {
    throw error instanceof TownError && error.code === 'agent_not_found' ? nothingCalled(id) : error;
  });
  const answer = (await actors.rig(agent.rig)?.queries.whyAgent(agent.id)) ?? null;
  if (answer === null) throw notFound('agent', id);
  return answer;
}

const nothingCalled = (id: string): TownError =>
  new TownError('not_found', 'id_not_found', {
    message: `Nothing in this town is called ${JSON.stringify(id.slice(0, 80))}.`,
    next: 'Give the id of a bead, convoy, escalation or mail, or the name of a rig or agent; "gt status" shows what there is.',
  });

async function whyOfEscalation(actors: TownActors, id: string): Promise<Why> {
  const item = actors.town.view.escalation(parseEscalationId(id));
  if (item === null) throw notFound('escalation', id);
  return whyEscalation(await escalationSummary(actors, item));
}

async function whyOfMail(actors: TownActors, id: string): Promise<Why> {
  const stores = [actors.town.post.store, ...actors.rigs().map((rig) => rig.view.mail)];
  const mails = await askAll(stores, (store) => store.get(id));
  const mail = mails.find((one) => one !== null) ?? null;
  if (mail === null) throw notFound('mail', id);
  return whyMail(mail);
}

async function whyTown(town: TownGateway, actors: TownActors): Promise<Why> {
  const items = await readAttention(actors);
  const worst = items.find((item) => item.acknowledgedBy === null) ?? null;
  const slots = await askAll(actors.rigs(), (rig) => rig.view.slotsTaken());
  const taken = slots.reduce((sum, count) => sum + count, 0);
  return {
    id: town.id,
    state: worst !== null ? 'needs_human' : taken > 0 ? 'working' : 'idle',
    sentence: attentionSentence(items),
    rule: 'attention',
    sinceMs: worst?.sinceMs ?? null,
    next: worst === null ? 'Work is slung, or something needs a person.' : 'A person looks at it.',
    command: worst?.command ?? null,
    wakeAtMs: null,
  };
}
