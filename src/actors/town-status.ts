import { convoyOutlook } from '../core/convoy-outlook.ts';
import { whyConvoy } from '../core/why-convoy.ts';
import type { AttentionItem, TownStatus } from '../core/queries.ts';
import { checkRig, checkTown } from '../core/invariants.ts';
import { RUNNER_SUBJECT, type Health } from '../core/model/health.ts';
import type { HostPorts } from '../ports/host.ts';
import { readInvariantFacts } from '../store/invariant-facts.ts';
import { readTownFacts } from '../store/town-facts.ts';
import type { TownActors } from './town-actors.ts';

const RANK = { critical: 0, high: 1, medium: 2, low: 3 } as const;

/** The five-second answer: alive, what needs a person, what moves. */
export function readTownStatus(
  town: { readonly id: string; readonly name: string },
  actors: TownActors,
  ports: HostPorts,
  nowMs: number,
): TownStatus {
  const rigs = actors.rigs();
  const { view } = actors.town.program;
  const instance = ports.runner.instance();
  const convoys = view.liveConvoys();
  const escalations: AttentionItem[] = view.escalations(true).map((item) => ({
    severity: item.severity,
    subject: item.subject,
    sentence: item.message,
    sinceMs: item.createdAtMs,
    next: `gt why ${item.subject.slice(item.subject.indexOf(':') + 1)}`,
  }));
  const known = new Set(escalations.map((item) => item.subject.slice(item.subject.indexOf(':') + 1)));
  const held: AttentionItem[] = convoys
    .map((convoy) => ({ convoy, beads: view.convoyBeads(convoy.id) }))
    .filter(({ convoy, beads }) => !known.has(convoy.id) && convoyOutlook(convoy, beads).kind === 'held')
    .map(({ convoy, beads }) => ({
      severity: 'medium',
      subject: convoy.id,
      sentence: whyConvoy(convoy, beads).sentence,
      sinceMs: convoy.createdAtMs,
      next: `gt convoy show ${convoy.id}`,
    }));
  const own = rigs.flatMap((rig) => rig.queries.attention()).filter((item) => !known.has(item.subject));
  const health = actors.town.health();
  const questions = rigs.flatMap((rig) => rig.queries.questions());
  return {
    id: town.id,
    name: town.name,
    rigs: rigs.map((rig) => rig.summary()),
    convoys,
    workingAgents: rigs.reduce(
      (sum, rig) => sum + rig.queries.agents().filter((agent) => agent.status === 'working').length,
      0,
    ),
    mergedLastHour: rigs.reduce((sum, rig) => sum + rig.queries.mergedLastHour(nowMs), 0),
    attention: [...escalations, ...held, ...own, ...questions, ...unreadMail(actors), ...runnerDown(health)].toSorted(
      (a, b) => RANK[a.severity] - RANK[b.severity] || a.sinceMs - b.sinceMs,
    ),
    health,
    runner: { instance, state: runnerState(instance, health), pid: null },
    violations: [
      ...checkTown(readTownFacts(actors.town.sql)).map((violation) => `town: ${violation.code} ${violation.text}`),
      ...rigs.flatMap((rig) =>
        checkRig(readInvariantFacts(rig.sql), nowMs).map(
          (violation) => `${rig.address}: ${violation.code} ${violation.text}`,
        ),
      ),
    ],
  };
}

/** Mails shown one by one; the rest is in the mailbox. */
const MAILS_SHOWN = 20;

/** What people have not read yet; a cry for help before notes. */
function unreadMail(actors: TownActors): readonly AttentionItem[] {
  // A mail to the mayor about an escalation would say twice what stands above.
  const isEscalation = (key: string): boolean => key.startsWith('notify:');
  const unread = actors.town.post.store.list({ recipient: null, unreadOnly: true, limit: MAILS_SHOWN });
  return unread
    .filter((mail) => !isEscalation(mail.key))
    .map((mail) => ({
      severity: mail.kind === 'help' ? 'medium' : 'low',
      subject: mail.id,
      sentence: `Mail from ${mail.from} to ${mail.to}: ${mail.subject}`,
      sinceMs: mail.createdAtMs,
      next: `gt mail read ${mail.id}`,
    }));
}

/** Each rig's breaker tells people by itself when it stays so; here it is shown at once. */
function runnerDown(health: readonly Health[]): readonly AttentionItem[] {
  return health
    .filter((item) => item.subject === RUNNER_SUBJECT && item.state === 'down')
    .map((item) => ({
      severity: 'high',
      subject: item.subject,
      sentence: `The runner has not answered ${String(item.missed)} times in a row: ${item.detail ?? 'no answer'}.`,
      sinceMs: item.answeredAtMs ?? item.askedAtMs ?? 0,
      next: 'gt doctor',
    }));
}

/** The watchdog's word counts where it has one: a process may be there and answer nobody. */
function runnerState(instance: string | null, health: readonly Health[]): 'up' | 'down' | 'unknown' {
  if (health.some((item) => item.subject === RUNNER_SUBJECT && item.state === 'down')) return 'down';
  return instance === null ? 'unknown' : 'up';
}
