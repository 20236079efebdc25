/** A code host as a state machine with verbs: what people and checks do there, and what the town asks. No HTTP. */
import type { PullRequest, RequestedChange } from '../../src/core/model/pull-request.ts';
import { NoAnswer } from '../../src/forge/answer.ts';
import { adoptable } from '../../src/forge/policy.ts';
import type {
  ClosePullRequest,
  Forge,
  ForgeAnswer,
  ForgeRefusal,
  MergePullRequest,
  OpenPullRequest,
  PullClosed,
  PullRequestRef,
} from '../../src/ports/forge.ts';

type Changing = { -readonly [Key in keyof PullRequest]: PullRequest[Key] };
interface Stored extends Changing {
  readonly head: string;
  readonly openedAs: OpenPullRequest;
  /** What was said beside reviews. */
  readonly comments: string[];
}

/** What the host takes from the repository. */
export interface HostRepo {
  /** The tip of a branch; null when it is gone. */
  head(branch: string): string | null;
  /** True when the base has all of the head already. */
  holds?(base: string, head: string): boolean;
  /** Brings the head into the base; answers the commit there, or null when it conflicts. */
  merge(base: string, head: string, style: string): string | null;
}

const refused = (code: ForgeRefusal['code'], error: string): ForgeRefusal => ({ state: 'refused', code, error });

export class MemoryForge implements Forge {
  readonly pulls: Stored[] = [];
  readonly calls: string[] = [];
  /** Approvals of before count no more after a push. */
  dismissesStale = true;
  /** A new pull request's checks. */
  firstChecks: PullRequest['checks']['state'] = 'green';
  readonly #repo: HostRepo;
  #tags = 0;

  constructor(repo: HostRepo) {
    this.#repo = repo;
  }

  open(request: OpenPullRequest): Promise<ForgeAnswer> {
    this.calls.push(`open ${request.head}`);
    const mine = this.pulls.filter((pull) => pull.head === request.head);
    try {
      // As both adapters do.
      const known = adoptable(mine.toReversed(), request);
      if (known !== null) return answer(this.#shown(this.get(known)));
    } catch (error) {
      if (error instanceof NoAnswer) return answer(error.answer);
      throw error;
    }
    if (mine.some((pull) => pull.state === 'open' && pull.base === request.base)) {
      this.calls.push('422 already exists');
      return answer({ state: 'later', error: 'a pull request already exists', retryAfterMs: null });
    }
    if (this.#repo.head(request.head) === null) return answer(refused('invalid', 'no such branch'));
    if (this.#repo.holds?.(request.base, request.headSha) === true)
      return answer(refused('no_commits', 'there is nothing to merge'));
    const number = this.pulls.length + 1;
    const made: Stored = {
      number,
      url: `https://forge.test/pulls/${String(number)}`,
      state: 'open',
      isDraft: false,
      branch: request.head,
      base: request.base,
      headSha: request.headSha,
      mergeSha: null,
      mergeable: 'clean',
      checks: { state: this.firstChecks, failing: [] },
      approvals: 0,
      changesRequested: [],
      threads: [],
      inQueue: false,
      tag: '',
      head: request.head,
      openedAs: request,
      comments: [],
    };
    this.pulls.push(made);
    this.touch(made);
    return answer(this.#shown(made));
  }

  look(ref: PullRequestRef, tag: string | null): Promise<ForgeAnswer | { readonly state: 'unchanged' }> {
    this.calls.push(`look ${String(ref.number)}`);
    const pull = this.pulls.find((one) => one.number === ref.number);
    if (pull === undefined) return answer(refused('not_found', 'no such pull request'));
    this.#follow(pull);
    return tag === pull.tag ? answer({ state: 'unchanged' }) : answer(this.#shown(pull));
  }

  merge({ ref, expectedHead, expectedBase, style }: MergePullRequest): Promise<ForgeAnswer> {
    this.calls.push(`merge ${String(ref.number)}`);
    const pull = this.pulls.find((one) => one.number === ref.number);
    if (pull === undefined) return answer(refused('not_found', 'no such pull request'));
    this.#follow(pull);
    if (pull.state === 'merged') return answer(this.#shown(pull));
    if (pull.state === 'closed') return answer(refused('closed', 'it was closed'));
    if (pull.headSha !== expectedHead) return answer(refused('head_moved', 'its branch moved'));
    if (pull.base !== expectedBase) return answer(refused('wrong_base', `it is for ${pull.base}`));
    if (pull.isDraft || pull.mergeable !== 'clean') return answer(refused('not_mergeable', 'it is not mergeable'));
    this.mergeByHand(pull.number, style);
    return answer(this.#shown(pull));
  }

  close(request: ClosePullRequest): Promise<PullClosed | ForgeRefusal> {
    this.calls.push(`close ${String(request.number ?? request.head)}`);
    const isOurs = (pull: Stored): boolean => pull.openedAs.body.includes(request.ours);
    const pull = this.pulls.findLast((one) =>
      request.number === null ? one.head === request.head && isOurs(one) : one.number === request.number,
    );
    if (pull === undefined)
      return answer(
        request.number === null
          ? ({ state: 'ok', end: 'none', number: null, mergeSha: null } as const)
          : refused('not_found', 'no such pull request'),
      );
    this.#follow(pull);
    const { number, state, mergeSha } = pull;
    if (state === 'merged') return answer({ state: 'ok', end: 'merged', number, mergeSha });
    if (state === 'open' && !pull.comments.some((text) => text.includes(request.mark)))
      pull.comments.push(`${request.comment}\n\n${request.mark}`);
    if (state === 'open' && !isOurs(pull)) return answer({ state: 'ok', end: 'left', number, mergeSha: null });
    if (state === 'open') this.set(number, { state: 'closed' });
    return answer({ state: 'ok', end: 'closed', number, mergeSha: null });
  }

  /** Somebody opens one by hand for a branch of the town. */
  openByHand(request: OpenPullRequest): Promise<ForgeAnswer> {
    return this.open({ ...request, body: 'By hand.' });
  }

  /** Verbs of people, checks and the host. */
  get(number = this.pulls.length): Stored {
    const pull = this.pulls.find((one) => one.number === number);
    if (pull === undefined) throw new Error(`no pull request ${String(number)}`);
    return pull;
  }

  set(number: number, change: Partial<Changing>): void {
    const pull = this.get(number);
    Object.assign(pull, change);
    this.touch(pull);
  }

  approve(number = this.pulls.length, people = 1): void {
    this.set(number, { approvals: this.get(number).approvals + people });
  }

  requestChanges(number: number, { by, body }: Omit<RequestedChange, 'id'>): void {
    this.#tags += 1;
    const change = { id: `r${String(this.#tags)}`, by, body };
    this.set(number, { changesRequested: [...this.get(number).changesRequested, change] });
  }

  /** False: it conflicts. */
  mergeByHand(number = this.pulls.length, style = 'merge'): boolean {
    const pull = this.get(number);
    this.#follow(pull);
    if (pull.state !== 'open' || pull.headSha === null) return false;
    const mergeSha = this.#repo.merge(pull.base, pull.headSha, style);
    if (mergeSha === null) {
      this.set(number, { mergeable: 'conflict' });
      return false;
    }
    this.set(number, { state: 'merged', mergeSha, inQueue: false });
    return true;
  }

  /** The branch may have moved since. */
  #follow(pull: Stored): void {
    if (pull.state !== 'open') return;
    const headSha = this.#repo.head(pull.head);
    if (headSha === pull.headSha) return;
    pull.headSha = headSha;
    if (headSha === null) pull.state = 'closed';
    if (this.dismissesStale) pull.approvals = 0;
    pull.checks = { state: this.firstChecks, failing: [] };
    pull.mergeable = 'clean';
    this.touch(pull);
  }

  touch(pull: Stored): void {
    this.#tags += 1;
    pull.tag = `t${String(this.#tags)}`;
  }

  #shown(pull: Stored): ForgeAnswer {
    this.#follow(pull);
    const { head: _head, openedAs: _openedAs, comments: _comments, ...pullRequest } = pull;
    return { state: 'ok', pullRequest: structuredClone(pullRequest) };
  }
}

const answer = <T>(value: T): Promise<T> => Promise.resolve(value);
