import { createHash } from 'node:crypto';

/** What a commit brings that merges and gates look at; everything else about content does not matter here. */
export interface Content {
  /** Names of places it changes; two lines of history that both changed one of them conflict. */
  readonly places: readonly string[];
  /** It breaks the gates of every tree it is in, until a commit on top of it fixes that. */
  readonly bad: boolean;
  /** It repairs every bad commit below it. */
  readonly fixes: boolean;
}

export interface Commit extends Content {
  readonly id: string;
  readonly index: number;
  readonly parents: readonly string[];
  /** Itself and all its ancestors, one bit each. */
  readonly mask: bigint;
  readonly by: 'agent' | 'person' | 'refinery' | 'rescue';
  /** The lineage it belongs to, from its trailer. */
  readonly bead: string | null;
  /** Squashed or rebased: the head that it brought, and what was below it. */
  readonly landed?: { readonly head: string; readonly on: string } | undefined;
}

export const PLAIN: Content = { places: [], bad: false, fixes: false };

/** One rig's repository: the origin that everybody sees and the runner's clone share their objects. */
export class GitModel {
  readonly target = 'main';
  readonly #commits = new Map<string, Commit>();
  readonly #all: Commit[] = [];
  /** Branches on the origin. */
  readonly branches = new Map<string, string>();
  /** Refs of the runner's clone: attempts, rescues, merge candidates. */
  readonly refs = new Map<string, string>();
  /** Of these, the ones that the origin does not have yet: the runner whose clone alone has them. */
  readonly onlyAt = new Map<string, string>();
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
    this.branches.set(this.target, this.commit({ parents: [], by: 'person', bead: null, salt: 'root', ...PLAIN }).id);
  }

  /** Makes a commit; the same content on the same parents with the same salt is the same commit. */
  commit(what: Content & Pick<Commit, 'parents' | 'by' | 'bead' | 'landed'> & { readonly salt: string }): Commit {
    const text = [this.#name, what.salt, what.by, what.bead, ...what.parents].join('\0');
    const id = createHash('sha1').update(text).digest('hex');
    const known = this.#commits.get(id);
    if (known !== undefined) return known;
    const index = this.#all.length;
    let mask = 1n << BigInt(index);
    for (const parent of what.parents) mask |= this.get(parent).mask;
    const { parents, by, bead, places, bad, fixes, landed } = what;
    const made: Commit = { id, index, parents, mask, by, bead, places, bad, fixes, landed };
    this.#commits.set(id, made);
    this.#all.push(made);
    return made;
  }

  get(id: string): Commit {
    const commit = this.#commits.get(id);
    if (commit === undefined) throw new Error(`no commit ${id} in ${this.#name}`);
    return commit;
  }

  find(id: string): Commit | null {
    return this.#commits.get(id) ?? null;
  }

  head(branch = this.target): string | null {
    return this.branches.get(branch) ?? null;
  }

  mustHead(): string {
    const head = this.head();
    if (head === null) throw new Error('the target branch is gone');
    return head;
  }

  isAncestor(ancestor: string, of: string): boolean {
    const commit = this.find(ancestor);
    return commit !== null && ((this.get(of).mask >> BigInt(commit.index)) & 1n) === 1n;
  }

  /** True when the work of a head is in a commit: as it is, or squashed or rebased into it. */
  brings(head: string, at: string): boolean {
    if (this.isAncestor(head, at)) return true;
    const { mask } = this.get(at);
    return this.#all.some(
      ({ landed, index }) =>
        landed !== undefined && ((mask >> BigInt(index)) & 1n) === 1n && this.brings(head, landed.head),
    );
  }

  /** Commits that `to` has and `from` has not. */
  between(from: string, to: string): readonly Commit[] {
    const mask = this.get(to).mask & ~this.get(from).mask;
    return this.#all.filter((commit) => ((mask >> BigInt(commit.index)) & 1n) === 1n);
  }

  /** Two commits with the same content have the same tree; merges bring none of their own. */
  tree(id: string): string {
    let content = 0n;
    const { mask } = this.get(id);
    for (const commit of this.#all)
      if (commit.parents.length < 2 && ((mask >> BigInt(commit.index)) & 1n) === 1n)
        content |= 1n << BigInt(commit.index);
    return createHash('sha1')
      .update(`${this.#name} ${content.toString(16)}`)
      .digest('hex');
  }

  conflicts(ours: string, theirs: string): readonly string[] {
    const left = new Set(this.between(theirs, ours).flatMap((commit) => commit.places));
    const right = new Set(this.between(ours, theirs).flatMap((commit) => commit.places));
    return [...left].filter((place) => right.has(place));
  }

  isRed(id: string): boolean {
    const { mask } = this.get(id);
    const inside = this.#all.filter((commit) => ((mask >> BigInt(commit.index)) & 1n) === 1n);
    const fixes = inside.filter((commit) => commit.fixes);
    return inside.some(
      (commit) => commit.bad && !fixes.some((fix) => ((fix.mask >> BigInt(commit.index)) & 1n) === 1n),
    );
  }
}
