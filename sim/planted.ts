/** One bug that somebody could write, as a replacement of text in one source. The simulator has to find each of them. */
export interface Planted {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

export const PLANTED: readonly Planted[] = [
  {
    name: 'a message is taken again',
    file: 'actors/kernel/actor.ts',
    find: `if (envelope.seq <= last) return 'duplicate';
        if (envelope.seq > last + 1) return 'gap';
        this.#kernel.setReceived(envelope.from, envelope.seq);
        turn.event({
          key: \`message:`,
    put: `this.#kernel.setReceived(envelope.from, envelope.seq);
        turn.event({
          key: \`message:\${String(turn.nowMs)}:`,
  },
  {
    name: 'the alarm is not set after a turn',
    file: 'actors/kernel/actor.ts',
    find: 'this.#alarm.set(nextDueMs);',
    put: '',
  },
  {
    name: 'a lost alarm is not set again',
    file: 'actors/kernel/actor.ts',
    find: 'if (!this.#closed) this.#alarm.set(this.#dueMs);',
    put: '',
  },
  {
    name: 'a turn that failed is not tried again',
    file: 'actors/kernel/actor.ts',
    find: 'this.#ports.after(TURN_RETRY_MS, this.wake);\n  }\n',
    put: '}\n',
  },
  {
    name: 'an idempotency key is not looked up',
    file: 'actors/kernel/actor.ts',
    find: 'if (known !== null) return known;',
    put: '',
  },
  {
    name: 'an effect that may be tried again is taken for done',
    file: 'actors/kernel/settle-effect.ts',
    find: "case 'retry':",
    put: "case 'retry': turn.kernel.settleEffect(row.key, 'done', null, turn.nowMs); return;\n    case 'never' as 'retry':",
  },
  {
    name: 'the safety net is not armed',
    file: 'actors/kernel/actor.ts',
    find: "if (known === null || known > dueMs) this.#kernel.setTimer(RESYNC, 'rule', dueMs);",
    put: '',
  },
  {
    name: 'effects go out before the commit',
    file: 'actors/kernel/actor.ts',
    find: 'turn.finish();',
    put: 'turn.finish(); for (const row of claimed) void this.#perform(row, nowMs + EFFECT_DEADLINE_MS); claimed = [];',
  },
  {
    name: 'a fact that is known is an error',
    file: 'store/kernel-store.ts',
    find: 'WHERE NOT EXISTS (SELECT 1 FROM inbox WHERE key = ?) RETURNING seq',
    put: 'WHERE ? IS NOT NULL RETURNING seq',
  },
  {
    name: 'epochs do not grow',
    file: 'store/kernel-store.ts',
    find: 'CAST(CAST(value AS INTEGER) + 1 AS TEXT)',
    put: 'value',
  },
  {
    name: 'a branch with a process is given out again',
    file: 'store/rig-view.ts',
    find: 'WHERE source_bead_id = coalesce(beads.branch_of, beads.id) AND process_gone = 0)',
    put: 'WHERE 1 = 0)',
  },
  {
    name: 'a failed blocker is no blocker',
    file: 'store/rig-view.ts',
    find: 'AND failed_blockers = 0 AND not_before <= ?',
    put: 'AND not_before <= ?',
  },
  {
    name: 'counts of blockers are not kept',
    file: 'store/blocker-writer.ts',
    find: 'if (changed.length > 0) this.#recount(bead);',
    put: '',
  },
  {
    name: 'a status change wakes nobody',
    file: 'store/rig-writer.ts',
    find: '    this.#dirty(beadRef(id));\n    this.#dirty(SCHEDULE);',
    put: '    this.#dirty(beadRef(id));',
  },
  {
    name: 'a claim does not outlive its agent',
    file: 'core/rules/dead-agent.ts',
    find: '|| attempt.claim !== null',
    put: '',
  },
  {
    name: 'the train takes two at once',
    file: 'core/rules/merge-train.ts',
    find: 'if (view.activeReview(target) !== null) return NOTHING;',
    put: '',
  },
  {
    name: 'red is merged',
    file: 'core/rules/merge-step.ts',
    find: 'if (result.green) {',
    put: 'if (result.green || !result.green) {',
  },
  {
    name: 'a lost race counts as merged',
    file: 'core/rules/merge-step.ts',
    find: "result.result === 'pushed' && review",
    put: 'review',
  },
  {
    name: 'a cancel does not wait for the push',
    file: 'actors/rig/rig-commands.ts',
    find: "if (review?.step === 'pushing') {",
    put: "if (review?.step === ('never' as 'pushing')) {",
  },
  {
    name: 'the attempt of an ended bead goes on',
    file: 'core/rules/bead-ended.ts',
    find: "add('its attempt has nothing left to do', endLiveAttempt(view, bead));",
    put: '',
  },
  {
    name: 'dependents are not told',
    file: 'core/rules/bead-ended.ts',
    find: 'return dependents.length === 0',
    put: 'return dependents.length >= 0',
  },
  {
    name: 'the town is not told',
    file: 'core/rules/bead-ended.ts',
    find: 'if (!view.isWatched(bead.id) ||',
    put: 'if (view.isWatched(bead.id) ||',
  },
  {
    name: 'an agent that does not leave is not stopped',
    file: 'core/rules/free-agent.ts',
    find: "{ type: 'stop_agent', attempt: attempt.id, epoch: attempt.epoch, mode: 'graceful', at: nowMs + patience },",
    put: '',
  },
  {
    name: 'failures are not counted',
    file: 'core/rules/end-attempt.ts',
    find: 'const failures = bead.failures + 1;',
    put: 'const failures = bead.failures;',
  },
  {
    name: 'a question to a person is not asked',
    file: 'core/rules/end-attempt.ts',
    find: "escalation(bead, 'medium', question),",
    put: '',
  },
  {
    name: 'a takeover leaves the old process running',
    file: 'core/rules/lost-contact.ts',
    find: "{ type: 'stop_agent', attempt: attempt.id, epoch: attempt.epoch, mode: 'now', at: nowMs },",
    put: '',
  },
  {
    name: 'an infrastructure failure keeps the bead',
    file: 'core/rules/end-attempt.ts',
    find: 'actions.push(reopen(bead));',
    put: '',
  },
  {
    name: 'slots have no end',
    file: 'core/rules/assign-work.ts',
    find: 'const free = config.polecatsMax - view.slotsTaken();',
    put: 'const free = config.polecatsMax;',
  },
  {
    name: 'rework does not reach the merge request',
    file: 'actors/rig/rig-actions.ts',
    find: 'head_sha: action.head,',
    put: '',
  },
  {
    name: 'waiters in other rigs are not told',
    file: 'actors/town/town-events.ts',
    find: "AND state = 'open' RETURNING rig_id",
    put: "AND state = 'never' RETURNING rig_id",
  },
  {
    name: 'an unfinished convoy lands',
    file: 'core/convoy-outlook.ts',
    find: 'if (!beads.every(hasEnded))',
    put: 'if (!beads.some(hasEnded))',
  },
  {
    name: 'a bead on a hook is ready',
    file: 'store/rig-view.ts',
    find: 'AND NOT EXISTS (SELECT 1 FROM agents WHERE hook_bead_id = beads.id)',
    put: '',
  },
  {
    name: 'a bead that got its name is not asked about',
    file: 'actors/rig/convoy-messages.ts',
    find: "turn.send<RigToTown>('town', rig.address, { type: 'remote_blocker', blocker: bead, bead: waiting });",
    put: '',
  },
  {
    name: 'an end is told only once',
    file: 'store/rig-writer.ts',
    find: 'SET watched = 1, end_reported = 0 WHERE',
    put: 'SET watched = 1 WHERE',
  },
  {
    name: 'a newer claim is not heard',
    file: 'actors/rig/rig-events.ts',
    find: "if (judged && (fact.type !== 'agent_done' || fact.head === attempt.claimedHead)) {",
    put: 'if (judged) {',
  },
  {
    name: 'an agent that shuts itself down leaves no question',
    file: 'actors/rig/rig-talk.ts',
    find: "if (hold.hold === 'held') return [held];",
    put: "if (hold.hold === 'held' || hold.hold === 'needs_human') return [held];",
  },
  {
    name: 'a question before the word of the start is not taken',
    file: 'actors/rig/rig-events.ts',
    find: "writer.transitionAgent(agent, 'working', lease);",
    put: 'writer.transitionAgent(agent, status, lease);',
  },
  {
    name: 'an answer does not end the waiting',
    file: 'actors/rig/rig-waiting.ts',
    find: "if (agent?.status === 'waiting') writer.transitionAgent(agent, 'working', { last_activity_at: turn.nowMs });",
    put: "if (agent?.status === 'waiting') writer.transitionAgent(agent, 'stopping', { last_activity_at: turn.nowMs });",
  },
  {
    name: 'a mail to another rig is not passed on',
    file: 'actors/town/town-post.ts',
    find: "if (this.#hasRig(address.rig)) this.#town.tell(turn, address.rig, { type: 'deliver_mail', mail });",
    put: 'if (this.#hasRig(address.rig)) return;',
  },
  {
    name: 'a mail that is sent again is another mail',
    file: 'actors/rig/rig-post.ts',
    find: 'if (known !== null) return known;',
    put: 'if (known !== null) mail = { ...mail, key: `${mail.key}+` };',
  },
  {
    name: 'open steps are not in the way of done',
    file: 'core/rules/verify-done.ts',
    find: 'if (open.length === 0) return null;',
    put: 'if (open.length >= 0) return null;',
  },
  {
    name: 'a revert that was made is made again',
    file: 'actors/town/convoy-revert.ts',
    find: "if (before !== undefined && before.state !== 'failed') continue;",
    put: '',
  },
  {
    name: 'the answer of a revert is dropped',
    file: 'actors/rig/rig-events.ts',
    find: 'writer.reverts.answered(jobKey, result)',
    put: 'false',
  },
  {
    name: 'a message to the mayor is taken twice when its answer is lost',
    file: 'actors/mayor/mayor-actor.ts',
    find: 'await this.actor.command(caller.idempotencyKey, (turn) => {',
    put: 'await this.actor.command(undefined, (turn) => {',
  },
  {
    name: 'messages are lost with a session that ends in the middle of them',
    file: 'core/rules/mayor.ts',
    find: "if (hasMessages && sitting.openMessages === 0) return 'done';",
    put: "if (hasMessages && sitting.openMessages < sitting.messages) return 'done';",
  },
  {
    name: 'a message to the mayor wakes nobody',
    file: 'core/rules/mayor.ts',
    find: 'if (sitting === null && facts.waitingMessages === 0 && facts.newMail === 0) return NOTHING;',
    put: 'if (sitting === null && facts.newMail === 0) return NOTHING;',
  },
  {
    name: 'a nudge is never settled',
    file: 'actors/rig/rig-nudges.ts',
    find: 'if (!rig.nudges.settle(nudge.key, state, turn.nowMs)) return;',
    put: 'return;',
  },
  {
    name: 'what somebody waits for in vain is archived',
    file: 'store/archive-store.ts',
    find: "WHERE b.blocker_ref = ? AND b.state = 'failed' AND w.status IN",
    put: "WHERE b.blocker_ref = ? AND b.state = 'never' AND w.status IN",
  },
  {
    name: 'an archived bead is not found when it is named',
    file: 'actors/rig/rig-context.ts',
    find: 'if (bead !== null || !this.view.archive.bringBack(id)) return bead;',
    put: 'return bead;',
  },
  {
    name: 'a silent agent stays stalled when its attempt ends',
    file: 'core/rules/gupp.ts',
    find: 'return endingActions(view, attempt, ending, nowMs);',
    put: 'return [];',
  },
  {
    name: 'money: one part of a budget is given to two rigs',
    file: 'core/budget.ts',
    find: 'free -= Math.max(0, reach - holds(part));',
    put: '',
  },
  {
    name: 'money: a grant that comes twice counts twice',
    file: 'store/money-store.ts',
    find: 'granted = max(granted, excluded.granted), town_spent',
    put: 'granted = granted + excluded.granted, town_spent',
  },
  {
    name: 'money: what was let through in this pass is forgotten',
    file: 'core/admission.ts',
    find: 'this.#taken.set(budget.id, (this.#taken.get(budget.id) ?? 0) + this.#need(bead, engine, budget));',
    put: 'this.#need(bead, engine, budget);',
  },
  {
    name: 'money: an ended attempt keeps its reservation',
    file: 'core/usage.ts',
    find: "if (attempt.state === 'live')",
    put: "if (attempt.state !== 'never_ran')",
  },
  {
    name: 'a removed runner is ordered to stop for ever',
    file: 'actors/rig/rig-effects.ts',
    find: ' || isRemoved(this.#rig.view, attempt.runner)',
    put: '',
  },
  {
    name: 'money: what a rig does not need stays there',
    file: 'core/rules/assign-work.ts',
    find: 'if (budget.shared && spare > 0)',
    put: 'if (budget.shared && spare < 0)',
  },
  {
    name: 'money: use that is said after the end is not counted',
    file: 'actors/rig/rig-usage.ts',
    find: 'if (JSON.stringify(usage) === JSON.stringify(attempt.usage)) return;',
    put: 'if (attempt.endedAtMs !== null || JSON.stringify(usage) === JSON.stringify(attempt.usage)) return;',
  },
  {
    name: 'quota: a closed window is ignored',
    file: 'core/admission.ts',
    find: "if (window.resetsAtMs > this.#nowMs) return { kind: 'quota', window };",
    put: '',
  },
  {
    name: 'quota: a parked bead is not released',
    file: 'core/rules/quota.ts',
    find: "actions: [{ type: 'release_bead', bead: bead.id }],",
    put: 'actions: [],',
  },
  {
    name: 'breakers: a success closes those of others',
    file: 'core/rules/dispatch-breaker.ts',
    find: 'failingScopes(view, attempt).flatMap(',
    put: 'view.breakers().flatMap(',
  },
  {
    name: 'breakers: the open one of a runtime is ignored',
    file: 'core/admission.ts',
    find: 'isClosedToDispatch(breaker, this.#nowMs) || ',
    put: '',
  },
  {
    name: 'shield: a push that is refused is not answered',
    file: 'core/rules/merge-step.ts',
    find: "if (result.result === 'refused')\n    return decide(review, 'what would be pushed looks like a key', refusedPush(review, result.message));",
    put: '',
  },
];
