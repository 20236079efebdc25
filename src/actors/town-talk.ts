import type { NudgeMode } from '../core/actions.ts';
import type { Caller } from '../core/commands.ts';
import { notFound, precondition, TownError } from '../core/errors.ts';
import { mailDigest } from '../core/mail-digest.ts';
import type { AgentId, EscalationId, MailId } from '../core/model/ids.ts';
import { lifecycleOfMail, type TownLifecycle } from '../core/model/lifecycle.ts';
import { MAYOR } from '../core/model/mayor.ts';
import { HUMAN, parseAddress, type Address, type Mail, type MailDraft, type NewMail } from '../core/model/mail.ts';
import type { Molecule } from '../core/model/molecule.ts';
import type { FollowUp } from './rig/own-work.ts';
import type { StepReport } from './rig/rig-molecules.ts';
import type { Nudge } from '../core/model/nudge.ts';
import type { BeadSummary, Capability, EscalationSummary, HookView } from '../core/queries.ts';
import { fingerprint } from '../core/text.ts';
import type { HostPorts } from '../ports/host.ts';
import type { MayorGateway } from '../ports/mayor-gateway.ts';
import { receiversOf } from './mail-groups.ts';
import { acknowledgeOwn, ownEscalations } from './own-escalations.ts';
import type { Question, SentMail, TalkGateway, Waited } from '../ports/talk-gateway.ts';
import { askAll, type AskedRig } from './asked.ts';
import { isMailboxFull } from './rig/rig-talk.ts';
import type { TownActors } from './town-actors.ts';

/** How long a nudge's answer waits for the runner's word. */
const NUDGE_WAIT_MS = 3_000;

/** What the talk needs of the town around it. */
export interface TalkTown {
  readonly actors: TownActors;
  readonly ports: HostPorts;
  /** Throws when this process may only read. */
  writable(): void;
  checkCapability(capability: Capability): Promise<void>;
  hook(capability: Capability): Promise<HookView>;
  readonly mayor: MayorGateway;
  findAgent(name: string): Promise<{ readonly id: AgentId; readonly rig: string }>;
}

/** Words between people, agents and the town: finds the mailbox, checks who speaks, and tells people what went wrong. */
export class TownTalk implements TalkGateway {
  readonly #town: TalkTown;

  constructor(town: TalkTown) {
    this.#town = town;
  }

  #rig(name: string): AskedRig {
    const rig = this.#town.actors.rig(name);
    if (rig === null) throw notFound('rig', name);
    return rig;
  }

  async mailbox(filter: {
    readonly address: string | null;
    readonly unreadOnly: boolean;
    readonly limit: number;
  }): Promise<readonly Mail[]> {
    const address = filter.address === null ? null : parseAddress(filter.address);
    if (address?.kind === 'mayor') return this.#mailToMayor(filter);
    const store = address?.kind === 'agent' ? this.#rig(address.rig).view.mail : this.#town.actors.town.post.store;
    const list = { unreadOnly: filter.unreadOnly, limit: filter.limit };
    return store.list({ ...list, recipient: address?.text ?? null });
  }

  /** Its own mailbox, and what people got while the town had no mayor. */
  async #mailToMayor(filter: { readonly unreadOnly: boolean; readonly limit: number }): Promise<readonly Mail[]> {
    const { mayor, town } = this.#town.actors;
    const stores = [town.post.store, ...(mayor === null ? [] : [mayor.mail])];
    const mails = await askAll(stores, (store) => store.list({ ...filter, recipient: MAYOR }));
    return mails
      .flat()
      .toSorted((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, filter.limit);
  }

  async readMail(id: MailId): Promise<Mail> {
    const { town } = this.#town.actors;
    if (town.post.store.get(id) !== null) {
      this.#town.writable();
      return await town.readMail(id);
    }
    for (const rig of this.#town.actors.rigs()) {
      const mail = await rig.view.mail.get(id);
      if (mail !== null) return mail;
    }
    const ofMayor = (await this.#town.actors.mayor?.mail.get(id)) ?? null;
    if (ofMayor !== null) return ofMayor;
    throw notFound('mail', id);
  }

  async sendMail(draft: MailDraft, caller: Caller): Promise<SentMail> {
    this.#town.writable();
    const address = parseAddress(draft.to);
    if (address.kind === 'daemon') {
      const request = lifecycleOfMail(draft, { identity: HUMAN, isAgent: false });
      return executed(await this.lifecycle(request, caller));
    }
    const key = `people:${caller.idempotencyKey ?? this.#nonce()}`;
    if (address.kind === 'group')
      return this.#toAll(draft, HUMAN, (to) => this.#sendAsPerson({ ...draft, to }, `${key}:${to}`));
    return this.#sendAsPerson(draft, key);
  }

  /** Each member gets a mail of its own; one that can't take it does not keep it from the others. */
  async #toAll(draft: MailDraft, sender: string, send: (to: string) => Promise<SentMail>): Promise<SentMail> {
    const members = await receiversOf(this.#town.actors, draft.to, sender);
    const results = await Promise.allSettled(members.map(send));
    const refused = members.filter((_, index) => results[index]?.status === 'rejected');
    const [first] = results;
    if (refused.length === members.length && first?.status === 'rejected') throw asError(first.reason);
    const answer = `Sent to ${String(members.length - refused.length)}.${refused.length === 0 ? '' : ` Not to ${refused.join(', ')}.`}`;
    return { state: 'sent', id: null, to: parseAddress(draft.to).text, answer };
  }

  async #sendAsPerson(draft: MailDraft, key: string): Promise<SentMail> {
    const address = parseAddress(draft.to);
    await this.mustKnow(draft.to, HUMAN);
    const mail = newMail(draft, { from: HUMAN, key });
    if (address.kind !== 'agent') return stored(await this.#town.actors.town.keepMail(mail), address.text);
    const rig = this.#rig(address.rig);
    return this.#reporting(rig, address.text, async () => stored(await rig.sendMail(true, mail)));
  }

  #nonce(): string {
    return fingerprint([...this.#town.ports.random.bytes(16)].join('.'));
  }

  async #isKnown(address: Address): Promise<boolean> {
    if (!('rig' in address)) return true;
    const rig = this.#town.actors.rig(address.rig);
    if (rig === null) return false;
    if (address.kind === 'crew') return ((await rig.view.config()).crew ?? []).includes(address.name);
    return address.kind !== 'agent' || isAlive(await rig.view.agent(address.agent));
  }

  /** An unknown receiver is the sender's error, and a person hears of it: somebody works on wrong beliefs. */
  async mustKnow(to: string, sender: string): Promise<void> {
    const address = parseAddress(to);
    if (await this.#isKnown(address)) {
      if (sender !== HUMAN) await this.#town.actors.town.recipientFound(sender);
      return;
    }
    if (sender !== HUMAN) await this.#town.actors.town.reportUnknownRecipient(sender, address.text);
    throw new TownError(
      'not_found',
      'unknown_recipient',
      {
        message: `There is nobody at ${address.text}; nothing was sent.`,
        next:
          address.kind === 'crew'
            ? 'The crew of a rig is named in gastown.toml: crew = ["ada"]. People: human/.'
            : 'Agents of the town: "gt agents". People: human/.',
      },
      { field: 'to' },
    );
  }

  async #reporting<T>(rig: AskedRig, agent: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isMailboxFull(error)) await rig.reportMailbox(agent);
      throw error;
    }
  }

  async nudge(
    words: { readonly agent: string; readonly text: string; readonly mode: NudgeMode },
    caller: Caller,
  ): Promise<Nudge> {
    this.#town.writable();
    const agent = await this.#town.findAgent(words.agent);
    const rig = this.#rig(agent.rig);
    const { key } = await rig.nudge(agent.id, { text: words.text, mode: words.mode, from: caller.actor });
    return rig.nudged(key, NUDGE_WAIT_MS);
  }

  async lifecycle(request: TownLifecycle, caller: Caller): Promise<string> {
    this.#town.writable();
    const { agent } = request;
    if (agent === MAYOR)
      return this.#town.mayor.lifecycle(request, request.timestamp === null ? caller.idempotencyKey : onceBy(request));
    const address = parseAddress(request.agent);
    if (address.kind !== 'agent') throw notFound('agent', request.agent);
    return this.#rig(address.rig).lifecycle({ ...request, agent }, caller);
  }

  async prime(capability: Capability): Promise<HookView> {
    this.#town.writable();
    await this.#town.checkCapability(capability);
    await this.#rig(capability.rig).deliver(capability, 'all');
    return this.#town.hook(capability);
  }

  async ownMail(capability: Capability, unreadOnly: boolean): Promise<readonly Mail[]> {
    await this.#town.checkCapability(capability);
    const { mail } = this.#rig(capability.rig).view;
    return mail.list({ recipient: capability.agent, unreadOnly, limit: OWN_MAIL_MAX });
  }

  async checkMail(capability: Capability): Promise<string | null> {
    this.#town.writable();
    await this.#town.checkCapability(capability);
    return mailDigest(await this.#rig(capability.rig).deliver(capability, 'new'));
  }

  async readOwnMail(capability: Capability, id: MailId): Promise<Mail> {
    this.#town.writable();
    await this.#town.checkCapability(capability);
    return this.#rig(capability.rig).readMail(capability.agent, id);
  }

  async sendOwnMail(capability: Capability, draft: MailDraft): Promise<SentMail> {
    this.#town.writable();
    await this.#town.checkCapability(capability);
    const address = parseAddress(draft.to);
    const rig = this.#rig(capability.rig);
    if (address.kind === 'daemon') {
      const request = lifecycleOfMail(draft, { identity: capability.agent, isAgent: true });
      const own = { ...request, agent: capability.agent };
      return executed(await rig.lifecycle(own, { idempotencyKey: `${capability.attempt}:${request.action}` }));
    }
    if (address.kind === 'group')
      return this.#toAll(draft, capability.agent, (to) => this.sendOwnMail(capability, { ...draft, to }));
    await this.mustKnow(draft.to, capability.agent);
    // The same words to the same receiver within one session are the same mail: an agent repeats what it got no answer to.
    const key = `${capability.attempt}:${fingerprint(`${address.text}\n${draft.subject}\n${draft.body}`)}`;
    const mail = newMail(draft, { from: capability.agent, key });
    return this.#reporting(rig, address.text, async () => stored(await rig.sendMail(false, mail), address.text));
  }

  async wait(capability: Capability, question: Question, waitMs: number): Promise<Waited> {
    this.#town.writable();
    await this.#town.checkCapability(capability);
    const rig = this.#rig(capability.rig);
    const askedAtMs =
      'question' in question ? await rig.ask(capability.attempt, question.question) : question.askedAtMs;
    if (!(await rig.answered(capability.attempt, waitMs))) return { state: 'waiting', askedAtMs, answers: [] };
    const unread = await rig.view.mail.unread(capability.agent, OWN_MAIL_MAX);
    const mails = unread.filter((mail) => mail.from === HUMAN && mail.createdAtMs >= askedAtMs);
    const answers: Mail[] = [];
    for (const mail of mails) answers.push(await rig.readMail(capability.agent, mail.id));
    return { state: 'answered', askedAtMs, answers };
  }

  async escalate(
    capability: Capability,
    problem: { readonly severity: 'low' | 'medium' | 'high' | 'critical'; readonly message: string },
  ): Promise<void> {
    this.#town.writable();
    await this.#town.checkCapability(capability);
    await this.#rig(capability.rig).escalate(capability.attempt, problem);
  }

  async ownEscalations(capability: Capability): Promise<readonly EscalationSummary[]> {
    await this.#town.checkCapability(capability);
    return ownEscalations(this.#town.actors, capability);
  }

  async acknowledge(capability: Capability, id: EscalationId): Promise<EscalationSummary> {
    this.#town.writable();
    await this.#town.checkCapability(capability);
    return acknowledgeOwn(this.#town.actors, capability, id);
  }

  async molecule(capability: Capability): Promise<Molecule> {
    await this.#town.checkCapability(capability);
    const molecule = await this.#rig(capability.rig).view.molecule(capability.bead);
    if (molecule !== null) return molecule;
    throw precondition('no_molecule', `${capability.bead} follows no formula.`, 'Finish it with "gt done".');
  }

  async advance(capability: Capability, report: StepReport): Promise<Molecule> {
    this.#town.writable();
    await this.#town.checkCapability(capability);
    return this.#rig(capability.rig).advance(capability.attempt, report);
  }

  async followUp(capability: Capability, draft: FollowUp): Promise<BeadSummary> {
    this.#town.writable();
    await this.#town.checkCapability(capability);
    const rig = this.#rig(capability.rig);
    return rig.beadSummary(await rig.followUp(capability.attempt, draft));
  }

  async nudgeNeighbour(
    capability: Capability,
    words: { readonly agent: string; readonly text: string },
  ): Promise<Nudge> {
    this.#town.writable();
    await this.#town.checkCapability(capability);
    const to = await this.#town.findAgent(words.agent);
    if (to.rig !== capability.rig)
      throw new TownError(
        'forbidden',
        'not_your_neighbour',
        {
          message: `${to.id} works on another rig.`,
          next: `Write it a mail: gt mail send ${to.id} "<subject>", or ask the mayor: gt mail send mayor/ "<subject>".`,
        },
        { field: 'agent' },
      );
    const rig = this.#rig(capability.rig);
    const said = { by: capability.attempt, to: to.id, text: words.text, mode: 'immediate' } as const;
    const { key } = await rig.nudgeNeighbour(said);
    return rig.nudged(key, NUDGE_WAIT_MS);
  }

  async handoff(capability: Capability, note: { readonly subject: string; readonly body: string }): Promise<string> {
    this.#town.writable();
    await this.#town.checkCapability(capability);
    return this.#rig(capability.rig).handoff(capability.attempt, note);
  }
}

/** Mails of one agent that a list shows; its mailbox holds no more unread ones. */
const OWN_MAIL_MAX = 100;

const isAlive = (agent: { readonly status: string } | null): boolean => agent !== null && agent.status !== 'dead';

const newMail = (draft: MailDraft, by: { readonly from: string; readonly key: string }): NewMail => ({
  key: by.key,
  from: by.from,
  to: parseAddress(draft.to).text,
  kind: draft.kind,
  subject: draft.subject,
  body: draft.body,
  replyTo: draft.replyTo,
});

const onceBy = (request: TownLifecycle): string => `${request.agent}:${request.action}:${request.timestamp ?? ''}`;

const executed = (answer: string): SentMail => ({ state: 'executed', id: null, to: 'daemon/', answer });

function stored(mail: Mail | null, to = ''): SentMail {
  if (mail === null) return { state: 'sent', id: null, to, answer: `On its way to ${to}.` };
  return { state: 'stored', id: mail.id, to: mail.to, answer: `In the mailbox of ${mail.to}.` };
}

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));
