/**
 * A code host without its HTTP: pull requests as a state machine over a real bare repository. People act on it by verbs;
 * pushes are seen in the repository itself.
 */
import type { BareGit, Style } from './bare-git.ts';

export type CheckState = 'manual' | 'running' | 'success' | 'failure' | 'cancelled' | 'skipped';

export interface FakeReview {
  readonly id: number;
  readonly by: string;
  readonly state: 'approved' | 'changes_requested';
  readonly body: string;
  /** Of somebody without the right to write: it does not count. */
  readonly isOutsider: boolean;
}

export interface FakeThread {
  readonly id: string;
  readonly by: string;
  readonly body: string;
  readonly path: string;
  readonly line: number;
  isResolved: boolean;
  readonly replies: { readonly id: number; readonly by: string; readonly body: string }[];
}

export interface FakePull {
  readonly number: number;
  readonly head: string;
  readonly title: string;
  readonly body: string;
  readonly by: string;
  /** Its branch is one of another project, by the same name. */
  isFork: boolean;
  base: string;
  state: 'open' | 'closed' | 'merged';
  isDraft: boolean;
  /** As the host knows it: it follows the branch while it is open, and stays with what was merged or closed. */
  headSha: string;
  /** The tip of its branch now. */
  tip: string;
  isBranchGone: boolean;
  mergeSha: string | null;
  /** How it was merged here; null: it was not. */
  style: Style | null;
  inQueue: boolean;
  /** Grows with each change that its host counts. */
  version: number;
  /** How often it will still be shown before its mergeability is known. */
  unjudged: number;
  readonly reviews: FakeReview[];
  readonly threads: FakeThread[];
  /** What was said of it beside reviews, oldest first. */
  readonly comments: string[];
}

export interface FakeCheck {
  readonly id: number;
  readonly kind: 'run' | 'status';
  readonly name: string;
  readonly state: CheckState;
  readonly text: string;
}

/** Why the host refuses; `status` is GitHub's. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface ForgeRules {
  /** Pipelines run on a merge of both (GitLab); null: on the head. */
  mergedPipeline: { readonly sha: string } | null;
  /** Styles that the project allows. */
  styles: readonly Style[];
  /** A push takes approvals away. */
  dismissesStale: boolean;
  /** Approvals that the host itself demands. */
  approvals: number;
  /** The base takes merges from the host's queue only. */
  hasQueue: boolean;
  /** New pull requests are shown so often before their mergeability is known. */
  unjudgedLooks: number;
  /** Whether the end of a branch closes its pull request (GitHub), or not (GitLab). */
  closesWithBranch: boolean;
}

export class FakeForge {
  readonly git: BareGit;
  readonly pulls: FakePull[] = [];
  readonly rules: ForgeRules = {
    mergedPipeline: null,
    styles: ['merge', 'squash', 'rebase'],
    dismissesStale: false,
    approvals: 0,
    hasQueue: false,
    unjudgedLooks: 0,
    closesWithBranch: true,
  };
  /** The pipeline of before is still shown: of this commit (GitLab). */
  pipelineOf: string | null = null;
  /** The list of pull requests is behind. */
  listsNothing = false;
  /** Pictures of a replica that is behind, by number; they are shown instead. */
  readonly shownOlder = new Map<number, Record<string, unknown>>();
  readonly #checks = new Map<string, Map<string, FakeCheck>>();
  #lastId = 100;

  constructor(git: BareGit) {
    this.git = git;
  }

  id(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  get(number: number): FakePull {
    const pull = this.pulls.find((one) => one.number === number);
    if (pull === undefined) throw new Refused(404, 'Not Found');
    return pull;
  }

  /** Takes in what was pushed. The HTTP sides call it before each answer. */
  sync(): void {
    const branches = this.git.branches();
    for (const pull of this.pulls) {
      const tip = branches.get(pull.head);
      const isGone = tip === undefined;
      if (isGone !== pull.isBranchGone) this.#change(pull, { isBranchGone: isGone });
      if (tip !== undefined) pull.tip = tip;
      if (pull.state !== 'open') continue;
      if (isGone) {
        if (this.rules.closesWithBranch) this.#change(pull, { state: 'closed' });
        continue;
      }
      if (tip !== pull.headSha) this.#pushed(pull, tip);
      const base = branches.get(pull.base);
      // Somebody merged it by hand and pushed that: the host sees it in the base.
      if (base !== undefined && this.git.isAncestor(tip, base))
        this.#change(pull, { state: 'merged', mergeSha: base, inQueue: false });
    }
  }

  #pushed(pull: FakePull, tip: string): void {
    this.#change(pull, { headSha: tip, unjudged: this.rules.unjudgedLooks, inQueue: false });
    if (this.rules.dismissesStale) pull.reviews.splice(0);
  }

  #change(pull: FakePull, change: Partial<FakePull>): void {
    Object.assign(pull, change);
    pull.version += 1;
  }

  open(asked: { head: string; base: string; title: string; body?: string; by?: string }): FakePull {
    this.sync();
    const branches = this.git.branches();
    const tip = branches.get(asked.head);
    const base = branches.get(asked.base);
    if (tip === undefined) throw new Refused(422, 'Validation Failed: head invalid');
    if (base === undefined) throw new Refused(422, 'Validation Failed: base invalid');
    const double = this.pulls.find((one) => one.state === 'open' && one.head === asked.head && one.base === asked.base);
    if (double !== undefined) throw new Refused(409, `A pull request already exists for acme:${asked.head}.`);
    if (this.git.isAncestor(tip, base)) throw new Refused(422, `No commits between ${asked.base} and ${asked.head}`);
    const pull: FakePull = {
      number: this.pulls.length + 1,
      head: asked.head,
      base: asked.base,
      title: asked.title,
      body: asked.body ?? '',
      by: asked.by ?? 'town-bot',
      isFork: false,
      state: 'open',
      isDraft: false,
      headSha: tip,
      tip,
      isBranchGone: false,
      mergeSha: null,
      style: null,
      inQueue: false,
      version: 1,
      unjudged: this.rules.unjudgedLooks,
      reviews: [],
      threads: [],
      comments: [],
    };
    this.pulls.push(pull);
    return pull;
  }

  // What people do.

  approve(number: number, by: string, isOutsider = false): void {
    this.#review(number, { by, state: 'approved', body: '', isOutsider });
  }

  requestChanges(number: number, by: string, body: string): void {
    this.#review(number, { by, state: 'changes_requested', body, isOutsider: false });
  }

  #review(number: number, review: Omit<FakeReview, 'id'>): void {
    this.sync();
    const pull = this.get(number);
    pull.reviews.push({ ...review, id: this.id() });
    this.#change(pull, {});
  }

  openThread(number: number, thread: { by: string; body: string; path: string; line: number }): string {
    const pull = this.get(number);
    const id = `thread-${String(this.id())}`;
    pull.threads.push({ ...thread, id, isResolved: false, replies: [] });
    this.#change(pull, {});
    return id;
  }

  reply(number: number, id: string, by: string, body: string): void {
    const pull = this.get(number);
    pull.threads.find((thread) => thread.id === id)?.replies.push({ id: this.id(), by, body });
    this.#change(pull, {});
  }

  /** No ETag of GitHub tells of it. */
  resolve(number: number, id: string): void {
    for (const thread of this.get(number).threads) if (thread.id === id) thread.isResolved = true;
  }

  /** A check of the pull request's head reports. */
  check(number: number, name: string, state: CheckState, more: Partial<Pick<FakeCheck, 'kind' | 'text'>> = {}): void {
    this.sync();
    const sha = this.get(number).headSha;
    const ofSha = this.#checks.get(sha) ?? new Map<string, FakeCheck>();
    ofSha.set(name, { id: this.id(), kind: 'run', text: '', name, state, ...more });
    this.#checks.set(sha, ofSha);
  }

  checksOf(sha: string): readonly FakeCheck[] {
    return [...(this.#checks.get(sha)?.values() ?? [])];
  }

  close(number: number): void {
    this.#change(this.get(number), { state: 'closed', inQueue: false });
  }

  comment(number: number, text: string): void {
    const pull = this.get(number);
    pull.comments.push(text);
    this.#change(pull, {});
  }

  /** Somebody asks the host's API: what is merged stays merged. */
  closeByCall(number: number): void {
    this.sync();
    if (this.get(number).state === 'open') this.close(number);
  }

  reopen(number: number): void {
    const pull = this.get(number);
    if (pull.state !== 'closed') throw new Refused(422, 'it can not be opened again');
    this.#change(pull, { state: 'open' });
  }

  setDraft(number: number, isDraft: boolean): void {
    this.#change(this.get(number), { isDraft });
  }

  changeBase(number: number, base: string): void {
    this.#change(this.get(number), { base });
  }

  deleteBranch(branch: string): void {
    this.git.run('update-ref', '-d', `refs/heads/${branch}`);
    this.sync();
  }

  /** Somebody pushes a commit to a branch; answers it. */
  push(branch: string, file: string, text: string): string {
    const sha = this.git.commit(this.git.tip(branch), file, text);
    this.git.setBranch(branch, sha);
    this.sync();
    return sha;
  }

  /** Somebody throws the branch away for another commit on top of `base`. */
  forcePush(branch: string, base: string, file: string, text: string): string {
    const sha = this.git.commit(this.git.tip(base), file, text);
    this.git.setBranch(branch, sha);
    this.sync();
    return sha;
  }

  /** Somebody presses the button. */
  mergeByHand(number: number, style: Style = 'merge'): string {
    this.sync();
    return this.#land(this.get(number), style, `Merge pull request #${String(number)}`);
  }

  /** The host's queue has tested everything that waits in it, and lands it. */
  runQueue(): void {
    this.sync();
    for (const pull of this.pulls.filter((one) => one.inQueue && one.state === 'open')) {
      this.#land(pull, 'merge', `Merge pull request #${String(pull.number)} from the queue`);
    }
  }

  // What the host does for a caller of its API.

  isClean(pull: FakePull): boolean {
    const base = this.git.branches().get(pull.base);
    return base !== undefined && this.git.isClean(base, pull.headSha);
  }

  approvals(pull: FakePull): number {
    return this.opinions(pull).filter((review) => review.state === 'approved' && !review.isOutsider).length;
  }

  /** Everybody's last word. */
  opinions(pull: FakePull): readonly FakeReview[] {
    return [...new Map(pull.reviews.map((review) => [review.by, review])).values()];
  }

  isBlocked(pull: FakePull): boolean {
    return pull.isDraft || this.approvals(pull) < this.rules.approvals;
  }

  merge(number: number, expectedHead: string, style: Style, message: string): string {
    this.sync();
    const pull = this.get(number);
    if (pull.state !== 'open') throw new Refused(405, 'Pull Request is not mergeable');
    if (this.rules.hasQueue) throw new Refused(405, 'Changes must be made through the merge queue');
    if (!this.rules.styles.includes(style))
      throw new Refused(
        405,
        { merge: 'Merge commits', squash: 'Squash merges', rebase: 'Rebase merges' }[style] +
          ' are not allowed on this repository.',
      );
    if (pull.headSha !== expectedHead)
      throw new Refused(409, 'Head branch was modified. Review and try the merge again.');
    if (pull.isDraft) throw new Refused(405, 'Pull Request is still a draft');
    if (!this.isClean(pull)) throw new Refused(405, 'Pull Request is not mergeable');
    if (this.isBlocked(pull))
      throw new Refused(405, 'At least 1 approving review is required by reviewers with write access.');
    return this.#land(pull, style, message);
  }

  enqueue(number: number, expectedHead: string): void {
    this.sync();
    const pull = this.get(number);
    if (pull.headSha !== expectedHead) throw new Refused(422, 'The head oid is not the expected head oid');
    if (this.isBlocked(pull)) throw new Refused(422, 'Pull request is not mergeable');
    this.#change(pull, { inQueue: true });
  }

  #land(pull: FakePull, style: Style, message: string): string {
    const mergeSha = this.git.merge(pull.base, pull.headSha, style, message);
    this.#change(pull, { state: 'merged', mergeSha, style, inQueue: false });
    return mergeSha;
  }
}
