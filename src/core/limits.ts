/**
 * Every bound of the brain, with its unit and its reason. A value that an operator may change is read from the
 * configuration (`RigConfig`, `TownConfig`) and only its default stands here.
 */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** A lease outlives six missed heartbeats of 10 s, and the longest takeover of a host (25 s in a workerd cluster). */
export const LEASE_MS: number = 60 * SECOND;
/** Observe this long before the lease ends, so that a healthy agent never loses it. */
export const LEASE_RENEW_BEFORE_MS: number = 15 * SECOND;
/** From dispatch to a confirmed process; a hook that cannot be started by then goes back to the queue. */
export const START_DEADLINE_MS: number = 60 * SECOND;
/** Contact lost for this long without proof of loss: a new epoch takes over elsewhere. */
export const TAKEOVER_AFTER_MS: number = 5 * MINUTE;

/** Waits after 1, 2, 3 and 4 counted failures. */
export const RETRY_BACKOFF_MS: readonly number[] = [30 * SECOND, 60 * SECOND, 2 * MINUTE, 5 * MINUTE];
/** After this many counted failures the bead has failed: more tries only burn money. */
export const FAILURES_MAX = 5;
/** Back-off after an infrastructure failure of a dispatch: from here, doubling. Charged to the scope, not the bead. */
export const INFRA_BACKOFF_MIN_MS: number = 5 * SECOND;
export const INFRA_BACKOFF_MAX_MS: number = 10 * MINUTE;
/** So many infrastructure failures in a row of one scope open its breaker. */
export const INFRA_FAILURES_TO_OPEN = 3;
/** A process that has run this long proves that agents can be started again. */
export const BREAKER_PROOF_MS: number = 60 * SECOND;
/** A breaker open for this long is shown among what needs a person; a hiccup of the machine is over by then. */
export const BREAKER_TOLD_AFTER_MS: number = 5 * MINUTE;
/** A paused train with nothing behind it is told after so long: longer than a release takes, short enough to be remembered. */
export const PAUSE_TOLD_AFTER_MS: number = 24 * 60 * MINUTE;
/** A breaker open for this long raises one escalation for its scope. */
export const BREAKER_ESCALATE_AFTER_MS: number = 30 * MINUTE;
/**
 * A breaker of a runtime or a runner that nothing probed for so long is forgotten: no bead needs it any more, and a mark
 * that nothing can end would stay for ever. Longer than any agent holds the slot that a probe waits for.
 */
export const BREAKER_UNUSED_MS: number = 24 * 60 * MINUTE;

/**
 * Starts of one bead that failed although others started meanwhile: then the bead itself is the trouble (its target
 * branch does not exist), waiting does not mend it, and a person is asked. As many as counted failures.
 */
export const START_FAILURES_MAX = 5;
/** A gate that something else killed so often on one merge request does not get through on this machine: a person is asked. */
export const GATE_KILLS_MAX = 3;

/**
 * The GUPP ladder: how long a hooked agent with a live process may show no activity (output, tools, calls). A turn of a
 * model takes minutes, so a quarter of an hour of silence is worth a short word, half an hour a mail that it must answer.
 */
export const GUPP_NUDGE_AFTER_MS: number = 15 * MINUTE;
export const GUPP_CHECK_AFTER_MS: number = 30 * MINUTE;
/** While a tool runs (a long test run prints nothing) the first two wait this much longer. */
export const GUPP_TOOL_EXTRA_MS: number = 15 * MINUTE;
/** A person hears of it. */
export const GUPP_ESCALATE_AFTER_MS: number = 60 * MINUTE;
/** Nobody came: the agent is stopped, its work is rescued, and the bead goes to a new attempt. */
export const GUPP_STOP_AFTER_MS: number = 120 * MINUTE;
/**
 * Two rungs are never closer than the smallest distance of the ladder: after hours without the daemon or a jump of the
 * clock the agent's own signs of life come first, and it still gets every warning.
 */
export const GUPP_RUNG_GAP_MS: number = 15 * MINUTE;

/** A nudge is about this moment; one that could not be delivered within it is worth nothing any more. */
export const NUDGE_EXPIRES_AFTER_MS: number = 10 * MINUTE;
/** Words that wait for the agent to look (its runtime takes none in mid-session) are about its present work, not tomorrow's. */
export const NUDGE_KEPT_MS: number = 60 * MINUTE;
/** A nudge is a sentence; more belongs into a mail. */
export const NUDGE_CHARS_MAX = 1_000;

/** Words of one session of an agent to its neighbours: enough to coordinate, too few for two agents to keep each other busy. */
export const NEIGHBOUR_NUDGES_MAX = 10;
/** Beads that one session may note: a thorough look at a repository; more is a list, and belongs into one mail. */
export const FOLLOW_UPS_PER_SESSION_MAX = 20;

/** Sessions before its own that an agent is told of: the last ones say what to avoid, older ones cost tokens. */
export const EARLIER_SESSIONS_TOLD = 3;
/** What is told of one of them, in characters: the end of an error, not its log. */
export const SESSION_WORDS_MAX = 400;
/** Beads beside its own that an agent is told of. */
export const NEIGHBOURS_TOLD = 10;

/** How long the creator of a convoy waits for the rigs' acknowledgements, so that the answer names the beads. */
export const CONVOY_CREATE_WAIT_MS = 5_000;

/** A subject is one line of a list. */
export const MAIL_SUBJECT_CHARS_MAX = 200;
/** A mail is a message, not a file: what is longer belongs into the branch or the bead. */
export const MAIL_BODY_CHARS_MAX: number = 16 * 1024;
/** What of the unread mail goes into a prompt at once; the rest is read one by one. Half a thousand tokens. */
export const MAIL_DIGEST_BYTES_MAX = 2_048;
/** Mails named in one digest; the byte limit holds before it unless they are empty. */
export const MAIL_DIGEST_ITEMS_MAX = 20;
/** Unread mails of one agent; an agent that reads nothing must not collect a flood that its successors pay for. */
export const MAILBOX_UNREAD_MAX = 100;
/** Unread mails that wait for people, of the whole town: a week of ten a day from a dozen agents. */
export const PEOPLE_UNREAD_MAX = 1_000;
/** Not read by then, a mail goes back to its sender: a week covers holidays, longer is never read. */
export const MAIL_EXPIRES_AFTER_MS: number = 7 * 24 * 60 * MINUTE;
/** Mails that were read, returned or withdrawn stay to be looked up for this long. */
export const MAIL_KEPT_MS: number = 30 * 24 * 60 * MINUTE;

/** An escalation that nobody acknowledged for this long, times one more than the times it rose already, rises. */
export const RE_ESCALATE_AFTER_MS: number = 4 * 60 * MINUTE;
/** After so many rises it has reached everybody it can reach; more would only be noise. */
export const RE_ESCALATIONS_MAX = 3;
/** Waits between tries of one notification; together below four hours, when the next rise sends a new one. */
export const NOTIFY_BACKOFF_MS: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  2 * 60 * MINUTE,
];

/** Steps of one formula; more is a project, and wants a convoy. */
export const FORMULA_STEPS_MAX = 50;

/** One message to the mayor: as long as a mail. */
export const MAYOR_MESSAGE_CHARS_MAX: number = 16 * 1024;
/** One answer of the mayor; longer ones belong into a file. */
export const MAYOR_REPLY_CHARS_MAX: number = 64 * 1024;
/** Messages given to one process together: a day's worth, and a bound for its prompt. */
export const MAYOR_SITTING_MESSAGES_MAX = 20;
/** Text of messages in one prompt, some 16 thousand tokens; the first message always fits. */
export const MAYOR_SITTING_CHARS_MAX: number = 64 * 1024;
/** Messages that wait; somebody who sends more than that is a loop. */
export const MAYOR_WAITING_MAX = 200;
/** Processes for one sitting that end without an answer: more only burn money, and a person decides. */
export const MAYOR_TRIES_MAX = 3;
/** Processes in a row that brought nothing open the mayor's breaker: two sittings' worth, so one bad message does not. */
export const MAYOR_FAILURES_TO_OPEN = 5;
/** A process that has answered everything may still give out work for so long while others wait. */
export const MAYOR_LINGER_MS: number = 2 * MINUTE;

/** While a rig has live work, it and the runner are asked this often whether they are well. */
export const WATCHDOG_INTERVAL_MS: number = 3 * MINUTE;
/** So many unanswered questions in a row mean down: one may be bad luck, three at this interval are not. */
export const WATCHDOG_MISSES_TO_DOWN = 3;
/** No answer by then counts as missed; every actor and the runner answer within 10 s. */
export const WATCHDOG_ANSWER_MS: number = 10 * SECOND;
/** Work that has been due for so long, ten times the interval of the safety net, means that a rig's loop stands still. */
export const WATCHDOG_LAG_MAX_MS: number = 5 * MINUTE;

/**
 * What a dispatch of an AI runtime reserves before anything is known of its like: a task of moderate size at the price of
 * a good model. Later the moving average is used.
 */
export const ESTIMATE_FIRST_MICRO_USD = 1_000_000;
export const ESTIMATE_FIRST_TOKENS = 500_000;
/** Attempts that the moving average remembers: enough to be calm, few enough to follow a new model within a day. */
export const ESTIMATE_SAMPLES = 8;

/** A person hears of a budget when this share of it is spent: early enough to raise it before work waits. */
export const BUDGET_NEAR_SHARE = 0.8;

/** A provider that refuses without saying until when: tried again after this long, doubling for each refusal in a row. */
export const QUOTA_BACKOFF_MIN_MS: number = 60 * SECOND;
export const QUOTA_BACKOFF_MAX_MS: number = 30 * MINUTE;
/** A window that opens within this time is a burst (too many calls at once), not a quota that is used up. */
export const QUOTA_BURST_MS: number = 2 * MINUTE;
/** After a window opened, agents that draw on it start this far apart: all at once would run into the next refusal. */
export const QUOTA_STAGGER_MS: number = 10 * SECOND;
/** An end so soon after a refusal was caused by it. */
export const QUOTA_BLAME_MS: number = 15 * MINUTE;
/** A window further away than this is a mistake of a unit; it is looked at again then. */
export const QUOTA_WINDOW_MAX_MS: number = 8 * 24 * 60 * MINUTE;
/** A window that was open for this long without a refusal is open; the escalation about it ends then. */
export const QUOTA_PROOF_MS: number = 5 * MINUTE;
/** A scope that is closed for this long is told to a person once. */
export const QUOTA_ESCALATE_AFTER_MS: number = 30 * MINUTE;
/** Ready beads that one pass looks at when those before them may not run. */
export const READY_SCAN_MAX = 1_000;

/** Polecats of one rig at once. */
export const POLECATS_PER_RIG = 4;
/** An older bead overtakes a newer one of the next higher priority after waiting this much longer. */
export const AGEING_STEP_MS: number = 30 * MINUTE;
/** More rework rounds than this ask a person. */
export const REWORK_ROUNDS_MAX = 5;
/** Landings of a convoy in one rig; each had its rework rounds, so more would only repeat them. */
export const LANDING_ATTEMPTS_MAX = 5;
/** Waits after the 1st, 2nd, 3rd and 4th failed landing: the target, or what made it red, has time to change. */
export const LANDING_BACKOFF_MS: readonly number[] = [MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE];
/** A feature branch that could not be put back is looked at again after this long: a person may have mended it. */
export const FEATURE_RETRY_MS: number = 5 * MINUTE;
/** Merge requests that are tested as one list, unless the rig says otherwise: a red one costs some more runs to tell them apart. */
export const TRAIN_BATCH = 8;
/** More entries in one list than this make a red one too dear to take apart. */
export const TRAIN_BATCH_MAX = 64;
/** Lists that are tested at once, unless the rig says otherwise: gates that take a fixed port bear one run only. */
export const TRAIN_LANES = 1;
/** More runs of a project's gates at once than this are more than a few machines do. */
export const TRAIN_LANES_MAX = 16;
/** Gates that one runner runs at once, over all its rigs: they are the users' test suites and use several cores each. */
export const GATES_AT_ONCE_MAX: number = 4;
/** A review agent reads one change: half an hour is much, and nothing merges meanwhile. */
export const REVIEW_TIMEOUT_MS: number = 30 * MINUTE;
/** Attempts of a review that may fail: its work waits all that time, and somebody can look at it instead. */
export const REVIEW_FAILURES_MAX = 2;
/** Rounds of rework after which a review agent is not asked again: an agent that is never content would burn money for ever. */
export const REVIEW_ROUNDS_MAX = 3;
/** What of a bead's text becomes the message of its squashed commit: a page; the whole is in the town. */
export const SQUASH_BODY_CHARS_MAX = 4_000;
/** Merge requests from the front of the line that the plan of a round looks at; more than all lanes take. */
export const LINE_MAX = 128;
/** A target that is red itself is tried again after this long: somebody may have mended it, or what made it fail is over. */
export const RED_TARGET_RETRY_MS: number = 5 * MINUTE;
/** Trees of a rig that are remembered as tested; the train asks for those of its last rounds only. */
export const TESTED_TREES_KEPT_MAX = 2_000;
/** Without experience, so many entries are expected to be bad and so many runs to fail for nothing … */
export const RATE_PRIOR_BAD = 0.05;
export const RATE_PRIOR_FLAKE = 0.01;
/** … which weighs as much as so many entries seen. */
export const RATE_PRIOR_WEIGHT = 10;
/** Rates are those of the last so many entries or runs: a project's habits change with its people and its tests. */
export const RATE_MEMORY = 400;
/** A merge request that lost this many push races in a row goes to the back of its class. */
export const PUSH_RACES_MAX = 5;
/** Merge and push are short git work; longer means that the runner is gone or hangs. */
export const MERGE_STEP_DEADLINE_MS: number = 2 * MINUTE;
/**
 * A runner begins no push after its deadline; one that it began then takes so long at most (one git command has two
 * minutes), and clocks of two machines may be a minute apart. Only then is a push without an answer given up.
 */
export const PUSH_GRACE_MS: number = 3 * MINUTE;
/** Tips that rewrites of a target left behind, and that nothing may bring back unasked: nobody rewrites a shared branch more often. */
export const FORMER_TIPS_MAX = 8;
/** Words of git and of its host inside a sentence; a sentence that is longer than 400 characters is cut. */
export const HOST_WORDS_CHARS_MAX = 240;
/** Verification and promotion are short git work too; a claim that waits longer for its verdict is told to a person. */
export const CLAIM_DEADLINE_MS: number = 10 * MINUTE;
/** The same for making or checking a feature branch, and for undoing commits; a first clone fits in. */
export const BRANCH_JOB_DEADLINE_MS: number = 10 * MINUTE;
/** Gate commands run the project's own tests. */
export const GATE_TIMEOUT_MS: number = 15 * MINUTE;

/**
 * How long until a pull request is looked at again, by the time since something about it changed last: soon after a push
 * checks report and people look; what was still for a day is in nobody's hands. A look that finds nothing new costs next to
 * nothing there (`Forge.look`).
 */
export const PULL_POLL_MS: readonly { readonly untilMs: number; readonly everyMs: number }[] = [
  { untilMs: 2 * MINUTE, everyMs: 10 * SECOND },
  { untilMs: 10 * MINUTE, everyMs: 30 * SECOND },
  { untilMs: 60 * MINUTE, everyMs: 60 * SECOND },
  { untilMs: 24 * 60 * MINUTE, everyMs: 5 * MINUTE },
];
/** … and this, when it was still for longer than any of them. */
export const PULL_POLL_MAX_MS: number = 15 * MINUTE;
/** A forge that does not answer is asked again after this long, doubling to `PULL_POLL_MAX_MS`. */
export const PULL_SILENT_RETRY_MS: number = 15 * SECOND;
/** A forge that answered nothing about a pull request for so long is told to a person; shorter outages end by themselves. */
export const FORGE_SILENT_MAX_MS: number = 30 * MINUTE;
/** What a forge refused is asked for again after this long: by then somebody may have changed a right or a setting. */
export const PULL_REFUSED_RETRY_MS: number = 30 * MINUTE;
/** A foreign head is believed after so long: a forge may show the old one for some seconds after a push. */
export const PULL_HEAD_SETTLE_MS: number = 60 * SECOND;
/** What people say is given to an agent when they said nothing more for so long: one round for all comments of a review. */
export const PULL_FEEDBACK_SETTLE_MS: number = 60 * SECOND;
/** A head without any check is taken to have none after so long: they are registered some time after the push. */
export const PULL_NO_CHECKS_SETTLE_MS: number = 2 * MINUTE;
/** The gates' word about a head and the target holds for so long; the target may have moved since. */
export const PULL_GATES_FRESH_MS: number = 15 * MINUTE;
/** Waits between asking a forge to merge the same head again, by how often it was asked; the last one is kept. */
export const PULL_MERGE_RETRY_MS: readonly number[] = [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE];
/** A merge that was asked for so often, without being done, is told to a person. */
export const PULL_MERGE_ASKS_MAX = 5;
/**
 * No host works on a call that its caller gave up longer than this: the longest of ours takes 15 s. Only then a look says
 * that a merge which was asked for did not happen.
 */
export const PULL_ASK_SETTLE_MS: number = MINUTE;
/** A merge that the forge claims is looked for in the target again after this long: copies of it may lag. */
export const PULL_CONFIRM_RETRY_MS: number = 30 * SECOND;
/** A conflict that its forge shows and git does not find is looked for again after this long, doubling to `PULL_REFUSED_RETRY_MS`. */
export const PULL_CONFLICT_RETRY_MS: number = MINUTE;
/** People hear of checks or a forge that say nothing new for so long: no job of GitHub's own may run longer. */
export const PULL_WAIT_TOLD_MS: number = 6 * 60 * MINUTE;
/** So often an agent merges the target into a branch because the forge wants that; on a busy target it would have no end. */
export const PULL_BEHIND_MAX = 5;
/** A pull request that was asked for before a cancel may come late: it is looked for again after this long, … */
export const PULL_CLOSE_AGAIN_MS: number = MINUTE;
/** … so often in all: what was asked for is made within seconds, or never. */
export const PULL_CLOSE_ASKS_MAX = 3;
/** A forge that says nothing about closing for this long is left to people. */
export const PULL_CLOSE_PATIENCE_MS: number = 24 * 60 * MINUTE;
/** Of what a person wrote about a cancel, that much is said at the forge. */
export const PULL_CLOSE_NOTE_CHARS_MAX = 1_000;
/** What was given to agents is remembered for so many of the latest comments and checks of a pull request. */
export const PULL_GIVEN_MAX = 500;
/** Characters of one comment or failing check that an agent gets, and of all of them together. */
export const PULL_COMMENT_CHARS_MAX = 2_000;
export const PULL_FEEDBACK_CHARS_MAX = 48_000;
/** Characters of a pull request's description. */
export const PULL_BODY_CHARS_MAX = 8_000;

/** Full resync over live entities: while work is active, and while only waiting rows exist. */
export const RESYNC_ACTIVE_MS: number = 30 * SECOND;
export const RESYNC_WAITING_MS: number = 5 * MINUTE;

/** A turn that could not be committed (disk full, I/O error) is tried again after this long. */
export const TURN_RETRY_MS: number = SECOND;
/** Rounds of reconcile and apply within one turn; what is left goes on in the next turn. */
export const RECONCILE_ROUNDS_MAX = 50;
/** Inbox events and commands taken into one commit. */
export const TURN_BATCH_MAX = 256;
/** All that one turn takes in, as it is recorded: half of the 2 MiB that one value of a database may have. */
export const TURN_INPUT_BYTES_MAX: number = 1024 * 1024;
/** One call, as it is recorded; beside it there is room for the turn's chance. */
export const CALL_BYTES_MAX: number = 2 * 1024 * 1024 - 64 * 1024;
/** An event that throws this often is quarantined and escalated. */
export const EVENT_TRIES_MAX = 3;
/** Effects of one actor in flight; a Durable Object may hold six connections, two stay free for replies. */
export const EFFECTS_IN_FLIGHT_MAX = 4;
/** Of them calls to a code host, which may hang all together: the other half stays free for agents and git. */
export const FORGE_IN_FLIGHT_MAX = 2;
/** A call that gets no answer by then counts as lost; the runner answers every call within 10 s. */
export const EFFECT_DEADLINE_MS: number = 20 * SECOND;
/** Back-off of a repeated effect: first, and cap. */
export const EFFECT_RETRY_MIN_MS = 250;
export const EFFECT_RETRY_MAX_MS: number = 30 * SECOND;
/** Accepted work is asked for again after this long without a callback. */
export const ACCEPTED_POLL_MS: number = 30 * SECOND;
/** Observations asked for in one batch. */
export const OBSERVE_BATCH_MAX = 200;
/** Pull requests looked at side by side: each look is several requests, and a host has few connections. */
export const LOOKS_AT_ONCE_MAX = 2;
/** Rows that housekeeping deletes in one turn. */
export const PRUNE_BATCH = 200;
/** Applied inbox rows, performed outbox rows and answers to idempotency keys are kept this long, for `gt why` and for late duplicates. */
export const QUEUE_RETENTION_MS: number = 24 * 60 * MINUTE;

/** A process that has just opened its databases has better things to do. */
export const HOUSEKEEPING_AFTER_OPEN_MS: number = 60 * SECOND;
/** What is kept is kept for days, so an hour more or less does not matter. */
export const HOUSEKEEPING_EVERY_MS: number = 60 * MINUTE;
/** After a full batch: soon, but other work comes first. */
export const HOUSEKEEPING_GOES_ON_MS: number = 10 * SECOND;
/** Recorded turns and journal rows are kept at least this long, if a snapshot holds what they led to. */
export const HISTORY_KEPT_MS: number = 7 * 24 * 60 * MINUTE;
/** Beads that ended stay in their tables for a month: people come back to last week's work, rarely to last quarter's. */
export const BEADS_KEPT_MS: number = 30 * 24 * 60 * MINUTE;
/** An agent that nobody used for a day retires: its name is history, and the list shows who works. */
export const AGENT_UNUSED_MS: number = 24 * 60 * MINUTE;
/** Branches that housekeeping looks at in one turn; each may have some dozen rows. */
export const ARCHIVE_BATCH = 50;
/** Fewer recorded turns are not worth a copy of the database: they run again within seconds. */
export const SNAPSHOT_TURNS_MIN = 2_000;

/** Text limits at the boundary. */
export const TITLE_CHARS_MAX = 500;
export const BODY_CHARS_MAX: number = 256 * 1024;
export const CHECKPOINT_BYTES_MAX: number = 64 * 1024;
export const REASON_CHARS_MAX = 2_000;
/** A convoy larger than this is a mistake in a script; split it. */
export const CONVOY_BEADS_MAX = 500;
/** Blockers of one bead. */
export const BLOCKERS_MAX = 100;
/** Tail of a failed gate's output that goes into the rework bead. */
export const GATE_LOG_CHARS_MAX = 8_000;
/** Page size of lists. */
export const PAGE_SIZE_DEFAULT = 100;
export const PAGE_SIZE_MAX = 500;
