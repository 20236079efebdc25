import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { openForReading } from '../../hosts/node/open-reading.ts';
import { TownError } from '../../core/errors.ts';
import { loadConfig } from '../../hosts/node/town-config.ts';
import { inOneLine } from '../../core/job-trouble.ts';
import { hasPassword, withoutLogin } from '../../core/remote-url.ts';
import { counted } from '../../core/text.ts';
import { git, type GitLines, gitLines } from '../../hosts/node/git.ts';
import { readRestored } from '../../hosts/node/restored.ts';
import type { Town } from '../../hosts/node/town-files.ts';
import { plain } from '../output.ts';
import { LOCAL_RUNNER } from '../../core/model/runner.ts';
import { keptAtOrigin, keptRows, type KeptWork } from '../remote-work.ts';
import { cloneOf, type RescuedWork, setAsideWork } from '../rescued-work.ts';
import { note, ok, problem, type Check } from './check.ts';
import { settingsCheck } from './settings.ts';

/** Merges and rescues looked at per rig, the newest: an older one was looked at when it was new. */
const LOOKED_AT = 50;

interface Rig {
  readonly name: string;
  readonly url: string;
  readonly targetBranch: string;
}

/** The settings, and for each rig its origin, its clone and whether git bears out what is recorded. */
export async function repositoryChecks(town: Town): Promise<readonly Check[]> {
  try {
    const config = loadConfig(town.paths, process.env);
    const rigs = await Promise.all(config.rigs.map((rig) => rigChecks(town, rig)));
    return [await settingsCheck(town, config.rigs), ...rigs.flat(), ...worktreeChecks(town)];
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    return [
      problem('configuration', { what: error.message, why: 'the daemon does not start with it', fix: error.next }),
    ];
  }
}

async function rigChecks(town: Town, rig: Rig): Promise<readonly Check[]> {
  return [await originCheck(rig), ...addressNotes(rig), ...(await cloneChecks(town, rig))];
}

/** No new one is taken; one of before stays until a person changes it, and the inbox says so too. */
const addressNotes = (rig: Rig): readonly Check[] =>
  hasPassword(rig.url)
    ? [
        note(`address of ${rig.name}`, {
          what: 'it has a password or token in it',
          why: 'gastown.toml, each backup and each list of rigs show it',
          fix: `Give it to git's credential helper, gt config set rigs.${rig.name}.url ${withoutLogin(rig.url)}, and make a new one: copies have this one.`,
        }),
      ]
    : [];

async function originCheck(rig: Rig): Promise<Check> {
  const answer = await git(['ls-remote', '--exit-code', '--', rig.url, `refs/heads/${rig.targetBranch}`]);
  const shown = withoutLogin(rig.url);
  if (answer.ok) return ok(`rig ${rig.name}`, `${shown} (${rig.targetBranch})`);
  const why = answer.stderr.trim().split('\n')[0] ?? '';
  return problem(`rig ${rig.name}`, {
    what: `${shown} has no branch ${rig.targetBranch}, or can't be read`,
    why: why === '' ? 'work is fetched from there and merged there' : plain(why),
    fix: `git ls-remote ${shown}`,
  });
}

interface Recorded {
  readonly attempts: number;
  readonly merged: readonly { readonly id: string; readonly sha: string; readonly target: string }[];
  /** The order to the runner that fails most often; null: none does. */
  readonly failing: { readonly job: string; readonly tries: number; readonly error: string } | null;
  readonly rescues: readonly KeptWork[];
}

/** What the rig's database says that git must have; null when it can't be read, which its own check says. */
function recorded(town: Town, rig: string): Recorded | null {
  const path = join(town.paths.rigsDir, `${rig}.db`);
  if (!existsSync(path)) return null;
  try {
    const db = openForReading(path);
    try {
      const text = (row: Readonly<Record<string, unknown>>, name: string): string => String(row[name]);
      return {
        failing: failingJob(db),
        attempts: Number(db.prepare('SELECT COUNT(*) AS n FROM attempts WHERE running_at IS NOT NULL').get()?.['n']),
        merged: db
          .prepare(
            `SELECT id, json_extract(evidence, '$.mergeSha') AS sha, target_branch AS target FROM beads
              WHERE type = 'merge_request' AND close_reason = 'merged' AND json_extract(evidence, '$.mergeSha') IS NOT NULL
              ORDER BY closed_at DESC LIMIT ?`,
          )
          .all(LOOKED_AT)
          .map((row) => ({ id: text(row, 'id'), sha: text(row, 'sha'), target: text(row, 'target') })),
        rescues: keptRows(db, LOOKED_AT),
      };
    } finally {
      db.close();
    }
  } catch {
    return null;
  }
}

function failingJob(db: DatabaseSync): Recorded['failing'] {
  const row = db
    .prepare(
      `SELECT key, tries, error FROM outbox WHERE kind = 'job' AND state = 'pending' AND error IS NOT NULL ORDER BY tries DESC LIMIT 1`,
    )
    .get();
  return row === undefined
    ? null
    : { job: String(row['key']).replace(/^job:/, ''), tries: Number(row['tries']), error: String(row['error']) };
}

/** What the town asks of git and does not get; the origin may answer us all the same. */
const failingChecks = (rig: Rig, failing: Recorded['failing']): readonly Check[] =>
  failing === null
    ? []
    : [
        problem(`git work of ${rig.name}`, {
          what: `${failing.job.split(':').slice(0, 2).join(' of ')} fails: ${inOneLine(failing.error)}`,
          why: `asked for ${String(failing.tries)} times; what waits for it says so in "gt mq"`,
          fix: `gt why ${failing.job.split(':')[1] ?? rig.name}`,
        }),
      ];

async function cloneChecks(town: Town, rig: Rig): Promise<readonly Check[]> {
  const name = `clone of ${rig.name}`;
  const known = recorded(town, rig.name);
  const folder = cloneOf(town.paths.dataDir, rig.name);
  if (known === null) return [];
  const { left, elsewhere, lost: gone } = await lostRescues(town, rig, known);
  const notes = [
    ...failingChecks(rig, known.failing),
    ...(left === 0 ? [] : [notInBackup(town, name, left)]),
    ...(elsewhere.length === 0 ? [] : [atOtherRunners(name, elsewhere)]),
  ];
  if (!existsSync(folder))
    return known.attempts === 0 || readRestored(town.paths) !== null
      ? notes
      : [
          ...failingChecks(rig, known.failing),
          problem(name, {
            what: `${folder} is missing`,
            why: 'the refs of attempts and rescues were in it; what is merged is at the origin',
            fix: 'Put it back from a copy of the disk if there is one; otherwise the next start of an agent clones again.',
          }),
        ];
  const lost = [...gone, ...(await unmerged(folder, known))];
  if (lost.length === 0) return [ok(name, 'git bears out what is recorded'), ...notes];
  return [
    ...notes,
    ...lost.map((what) =>
      problem(name, {
        what,
        why: 'somebody changed the clone or the origin behind the town',
        fix: `git --git-dir=${folder} log --oneline --all -20`,
      }),
    ),
  ];
}

const RESCUES = 'refs/gt/rescue';
const NONE: GitLines = { lines: [] };

/** Rescued work that neither the clone nor the origin has. */
interface Missing {
  /** So much of it the backup left out, from which this town came. */
  readonly left: number;
  /** Of runners on other machines, whose clones can't be looked at from here. */
  readonly elsewhere: readonly KeptWork[];
  readonly lost: readonly string[];
}

async function lostRescues({ paths }: Town, rig: Rig, known: Recorded): Promise<Missing> {
  const folder = cloneOf(paths.dataDir, rig.name);
  const refs = existsSync(folder) ? await gitLines(folder, ['for-each-ref', '--format=%(refname)', RESCUES]) : NONE;
  if ('problem' in refs)
    return {
      left: 0,
      elsewhere: [],
      lost: [`git can't list what was rescued in ${folder}: ${inOneLine(refs.problem)}`],
    };
  const there = new Set(refs.lines);
  const missing = known.rescues.filter(({ ref }) => !there.has(ref));
  // Runners push what they keep where a rig has several, so the origin answers for those that nobody here can look at.
  const origin = missing.length === 0 ? null : await keptAtOrigin(rig.url);
  const gone = missing.filter(({ ref }) => origin?.has(ref) !== true);
  const ofHere = gone.filter(({ runner }) => runner === LOCAL_RUNNER);
  const restored = readRestored(paths);
  const lost = ofHere.filter((one) => restored === null || restored.work || one.endedAtMs > restored.atMs);
  return {
    left: ofHere.length - lost.length,
    elsewhere: gone.filter(({ runner }) => runner !== LOCAL_RUNNER),
    lost: lost.map(({ attempt, ref }) => `the rescued work of ${attempt} is gone: there is no ${ref}`),
  };
}

function atOtherRunners(name: string, works: readonly KeptWork[]): Check {
  const runners = [...new Set(works.map(({ runner }) => runner))].toSorted().join(', ');
  return note(name, {
    what: `what ${counted(works.length, 'attempt')} left lies at the runner ${runners}; the origin does not show it`,
    why: 'the clone of this machine never had it; whether it is there can only be seen there',
    fix: 'gt rescue list',
  });
}

function notInBackup({ paths }: Town, name: string, left: number): Check {
  const root = readRestored(paths)?.former.root ?? null;
  return note(name, {
    what: `what ${counted(left, 'attempt')} left is not here: the backup that this town came from does not hold it`,
    why: 'it was made with --no-work, or by a gt that could not do it yet',
    fix: root === null ? 'Look for it in the former town with "gt rescue list".' : `gt rescue list --town ${root}`,
  });
}

/** I9: what is closed as merged is on its target, as the clone knows it. */
async function unmerged(folder: string, known: Recorded): Promise<readonly string[]> {
  const lost: string[] = [];
  for (const { id, sha, target } of known.merged) {
    const head = `refs/remotes/origin/${target}`;
    const has = await git([`--git-dir=${folder}`, 'rev-parse', '--verify', '--quiet', head]);
    if (!has.ok) continue;
    const answer = await git([`--git-dir=${folder}`, 'merge-base', '--is-ancestor', sha, head]);
    if (!answer.ok) lost.push(`${id} is closed as merged, but ${sha.slice(0, 12)} is not on ${target}`);
  }
  return lost;
}

/** Directories that the runner keeps because their work could not be rescued, and such that somebody removed. */
function worktreeChecks(town: Town): readonly Check[] {
  const path = join(town.paths.dataDir, 'runner.db');
  if (!existsSync(path)) return [];
  let rows: readonly { readonly rig: string; readonly name: string; readonly state: string }[];
  try {
    const db = openForReading(path);
    rows = db
      .prepare(`SELECT rig, name, state FROM worktrees WHERE state <> 'making' ORDER BY rig, name`)
      .all()
      .map((row) => ({ rig: String(row['rig']), name: String(row['name']), state: String(row['state']) }));
    db.close();
  } catch {
    // It has its own check.
    return [];
  }
  const at = (row: (typeof rows)[number]): string => join(town.paths.dataDir, 'worktrees', row.rig, row.name);
  const aside = setAsideWork(town.paths.dataDir);
  const gone = rows.filter((row) => !existsSync(at(row)));
  const kept = rows.filter((row) => row.state === 'kept' && existsSync(at(row)));
  const checks = [
    ...gone.map((row) =>
      row.state === 'free'
        ? note('worktrees', {
            what: `${at(row)} is missing`,
            why: 'nobody worked in it; it is made again when it is needed',
            fix: 'Nothing to do.',
          })
        : problem('worktrees', {
            what: `${at(row)} is missing`,
            why: row.state === 'kept' ? 'work that was never rescued was in it' : 'an agent works, or worked, in it',
            fix: 'gt agents',
          }),
    ),
    ...kept.map((row) =>
      keptNote(
        at(row),
        aside.find((work) => work.folders.includes(at(row))),
      ),
    ),
  ];
  return checks.length > 0 ? checks : [ok('worktrees', `${String(rows.length)} are there`)];
}

const keptNote = (folder: string, work: RescuedWork | undefined): Check =>
  work === undefined
    ? note('worktrees', {
        what: `${folder} is kept aside`,
        why: 'its work could not be rescued, so nobody uses it again',
        fix: `git -C ${folder} status`,
      })
    : note('worktrees', {
        what: `${folder} is kept aside with the work of ${work.attempt} for ${work.bead}: ${plain(work.problem ?? '')}`,
        why: 'it is the only copy; the runner tries to store it every few minutes',
        fix: `git -C ${folder} status; when nothing of it is needed: gt rescue discard ${work.attempt}`,
      });
