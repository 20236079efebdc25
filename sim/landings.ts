import type { SqlRow } from '../src/ports/sql.ts';
import type { SimDatabase } from './faulty-sql.ts';
import type { GitModel } from './git-model.ts';
import { Violation } from './ledger.ts';

/** The truth about convoys that land at once: what went into their feature branches, and what must be where at the end. */
export class Landings {
  checks = 0;
  readonly #merged = new Map<string, string>();

  /** A feature branch moved by one of our pushes: each bead is in it once. */
  merged(
    rig: string,
    repo: GitModel,
    move: { readonly branch: string; readonly from: string; readonly to: string },
  ): void {
    for (const commit of repo.between(move.from, move.to)) {
      if (commit.by !== 'refinery' || commit.bead === null) continue;
      this.checks += 1;
      const earlier = this.#merged.get(commit.bead);
      // People may have deleted the branch, and what they took away comes again.
      if (earlier !== undefined && earlier !== commit.id && repo.isAncestor(earlier, commit.id))
        throw new Violation('L4', `${commit.bead} of ${rig} was merged twice into ${move.branch}`);
      this.#merged.set(commit.bead, commit.id);
    }
  }

  /** At rest: what a convoy calls landed is on the target, once; what did not land is on its feature branch. */
  check(
    town: SimDatabase,
    rigs: ReadonlyMap<string, { readonly database: SimDatabase; readonly repo: GitModel }>,
  ): void {
    for (const convoy of town.sql.all(
      `SELECT id, status, feature_branch FROM convoys WHERE merge_mode = 'review-then-land' ORDER BY id`,
    ))
      for (const [name, rig] of rigs) {
        this.#landedOnce(rig, String(convoy['id']));
        const beads = town.sql.all(
          `SELECT bead_id, merge_sha FROM convoy_beads WHERE convoy_id = ? AND rig_id = ? AND close_reason = 'merged' AND merge_target = ?`,
          convoy['id'] ?? null,
          name,
          convoy['feature_branch'] ?? null,
        );
        for (const bead of beads) this.#kept(convoy, bead, rig);
      }
  }

  #must(holds: boolean, code: string, sentence: () => string): void {
    this.checks += 1;
    if (!holds) throw new Violation(code, sentence());
  }

  #landedOnce({ database, repo }: { readonly database: SimDatabase; readonly repo: GitModel }, convoy: string): void {
    const rows = database.sql.all(
      `SELECT id, status, close_reason, json_extract(evidence, '$.mergeSha') AS merge_sha FROM beads WHERE kind = 'landing' AND convoy_id = ?`,
      convoy,
    );
    const merged = rows.filter((row) => row['close_reason'] === 'merged');
    this.#must(
      merged.length <= 1,
      'L15',
      () => `${convoy} landed ${String(merged.length)} times in ${database.address}`,
    );
    for (const row of merged)
      this.#must(
        repo.isAncestor(String(row['merge_sha']), repo.mustHead()),
        'L14',
        () => `the landing ${String(row['id'])} is not on the target`,
      );
  }

  #kept(
    convoy: SqlRow,
    bead: SqlRow,
    { database, repo }: { readonly database: SimDatabase; readonly repo: GitModel },
  ): void {
    const sha = String(bead['merge_sha']);
    const known = database.sql.all('SELECT head_sha FROM features WHERE convoy_id = ?', convoy['id'] ?? null)[0];
    this.#must(
      repo.isAncestor(sha, String(known?.['head_sha'])),
      'L16',
      () => `${String(bead['bead_id'])} was merged as ${sha}, which the feature branch of ${String(convoy['id'])} lost`,
    );
    if (convoy['status'] === 'landed')
      this.#must(
        repo.brings(sha, repo.mustHead()),
        'L14',
        () => `${String(convoy['id'])} landed without ${String(bead['bead_id'])}`,
      );
  }
}
