/** GitLab's REST API before a fake forge: the routes that are asked, in the forms of its public documents. */
import { type FakeCheck, type FakeForge, type FakePull, Refused } from './fake-forge.ts';
import type { Answer } from './faults.ts';
import { type Asked, FAKE_PROJECT } from './wire.ts';

const ROOT = `/projects/${encodeURIComponent(FAKE_PROJECT)}`;
const asText = (value: unknown): string => (typeof value === 'string' ? value : '');
const PIPELINE = {
  success: 'success',
  skipped: 'success',
  failure: 'failed',
  cancelled: 'canceled',
  running: 'running',
  manual: 'manual',
} as const;
const ok = (body: unknown, status = 200): Answer => ({ status, body });

function detailedStatus(forge: FakeForge, pull: FakePull): string {
  if (pull.state !== 'open') return 'not_open';
  if (pull.unjudged > 0) return 'checking';
  if (!forge.isClean(pull)) return 'conflict';
  if (isBehind(forge, pull)) return 'need_rebase';
  if (pull.isDraft) return 'draft_status';
  return forge.isBlocked(pull) ? 'not_approved' : 'mergeable';
}

/** A project that merges by fast-forward only wants the base in the branch. */
const isBehind = (forge: FakeForge, pull: FakePull): boolean =>
  methodOf(forge) === 'ff' && !forge.git.isAncestor(forge.git.tip(pull.base), pull.headSha);

/** The pipeline of the head, made of its checks; the worst gives its status. */
function pipelineOf(forge: FakeForge, pull: FakePull): unknown {
  const head = forge.pipelineOf ?? pull.headSha;
  const merged = forge.rules.mergedPipeline;
  const checks = forge.checksOf(head);
  if (checks.length === 0) return null;
  const worst = (['failure', 'cancelled', 'running', 'manual'] as const).find((state) =>
    checks.some((check) => check.state === state),
  );
  return {
    id: 7,
    sha: merged?.sha ?? head,
    ref: merged === null ? pull.head : `refs/merge-requests/${String(pull.number)}/merge`,
    source: 'merge_request_event',
    status: PIPELINE[worst ?? 'success'],
    web_url: `https://gitlab.example/${FAKE_PROJECT}/-/pipelines/7`,
  };
}

function requestOf(forge: FakeForge, pull: FakePull): Record<string, unknown> {
  return {
    id: 1_000 + pull.number,
    iid: pull.number,
    project_id: 1,
    source_project_id: pull.isFork ? 2 : 1,
    target_project_id: 1,
    title: pull.title,
    description: pull.body,
    state: pull.state === 'open' ? 'opened' : pull.state,
    draft: pull.isDraft,
    source_branch: pull.head,
    target_branch: pull.base,
    sha: pull.headSha,
    merge_commit_sha: pull.style === 'merge' ? pull.mergeSha : null,
    squash_commit_sha: pull.style === 'squash' ? pull.mergeSha : null,
    web_url: `https://gitlab.example/${FAKE_PROJECT}/-/merge_requests/${String(pull.number)}`,
    detailed_merge_status: detailedStatus(forge, pull),
    has_conflicts: pull.state === 'open' && pull.unjudged === 0 && !forge.isClean(pull),
    merge_when_pipeline_succeeds: pull.inQueue,
    head_pipeline: pipelineOf(forge, pull),
  };
}

const statusOf = (check: FakeCheck): Record<string, unknown> => ({
  id: check.id,
  name: check.name,
  status: PIPELINE[check.state],
  target_url: `https://ci.example/${String(check.id)}`,
  description: check.text,
  allow_failure: false,
});

const user = (username: string): Record<string, unknown> => ({ id: 1, username, name: username });

function discussionsOf(pull: FakePull): readonly Record<string, unknown>[] {
  const talks = pull.threads.map((thread) => ({
    id: thread.id,
    individual_note: false,
    notes: [
      {
        id: 1,
        type: 'DiffNote',
        body: thread.body,
        author: user(thread.by),
        system: false,
        resolvable: true,
        resolved: thread.isResolved,
        position: { new_path: thread.path, old_path: thread.path, new_line: thread.line, old_line: null },
      },
      ...thread.replies.map((reply) => ({
        id: reply.id,
        type: 'DiffNote',
        body: reply.body,
        author: user(reply.by),
        system: false,
        resolvable: true,
        resolved: thread.isResolved,
      })),
    ],
  }));
  // Its reviews have no text of their own: a comment, and a note of the host's.
  const reviews = pull.reviews
    .filter((review) => review.state === 'changes_requested')
    .flatMap(({ id, by, body }) => [
      ...(body === '' ? [] : [{ id, body, author: user(by), system: false, resolvable: false }]),
      { id: id + 0.5, body: 'requested changes', author: user(by), system: true, resolvable: false },
    ])
    .map((note) => ({ id: `note-${String(note.id)}`, individual_note: true, notes: [note] }));
  const system = { id: 2, body: 'added 1 commit', author: user('town-bot'), system: true, resolvable: false };
  return [{ id: 'system', individual_note: true, notes: [system] }, ...reviews, ...talks];
}

export function answerGitlab(forge: FakeForge, asked: Asked): Answer {
  if (asked.path !== ROOT && !asked.path.startsWith(`${ROOT}/`)) throw new Refused(404, '404 Project Not Found');
  const parts = asked.path.slice(ROOT.length + 1).split('/');
  const [kind = '', id = '', part = ''] = parts;
  if (kind === '') return ok({ id: 1, path_with_namespace: FAKE_PROJECT, merge_method: methodOf(forge) });
  if (kind === 'repository') return repository(forge, asked, parts.slice(1));
  if (kind !== 'merge_requests') throw new Refused(404, '404 Not Found');
  if (id === '') return asked.method === 'POST' ? create(forge, asked) : list(forge, asked);
  return one(forge, asked, forge.get(Number(id)), part);
}

const methodOf = (forge: FakeForge): string => (forge.rules.styles.includes('merge') ? 'merge' : 'ff');

function repository(forge: FakeForge, asked: Asked, [kind = '', id = '', more = '']: readonly string[]): Answer {
  if (kind === 'branches') {
    const name = decodeURIComponent(id);
    const sha = forge.git.branches().get(name);
    if (sha === undefined) throw new Refused(404, '404 Branch Not Found');
    return ok({ name, commit: { id: sha } });
  }
  if (kind === 'commits' && more === '')
    return ok({ id, parent_ids: forge.git.run('rev-list', '--parents', '-n1', id).split(' ').slice(1) });
  if (kind !== 'commits' || more !== 'statuses' || asked.query.get('pipeline_id') !== '7')
    throw new Refused(404, '404 Not Found');
  return ok(forge.checksOf(id).map(statusOf));
}

function list(forge: FakeForge, asked: Asked): Answer {
  const branch = asked.query.get('source_branch');
  const pulls = forge.pulls.filter((pull) => !forge.listsNothing && pull.head === branch);
  return ok(pulls.toReversed().map((pull) => requestOf(forge, pull)));
}

function create(forge: FakeForge, asked: Asked): Answer {
  const body = asked.body as Record<string, unknown>;
  const asPull = {
    head: asText(body['source_branch']),
    base: asText(body['target_branch']),
    title: asText(body['title']),
    body: asText(body['description']),
  };
  try {
    if (asPull.title.length > 255) throw new Refused(400, 'title is too long (maximum is 255 characters)');
    const made = forge.open(asPull);
    made.isDraft = /^\s*(draft:|\[draft\]|\(draft\))/i.test(asPull.title);
    return ok(requestOf(forge, made), 201);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return error.status === 409
      ? ok({ message: [`Another open merge request already exists for this source branch: !1`] }, 409)
      : ok({ message: { base: [error.message] } }, error.status);
  }
}

function one(forge: FakeForge, asked: Asked, pull: FakePull, part: string): Answer {
  switch (part) {
    case '': {
      if (asked.method === 'PUT') return close(forge, asked, pull);
      const body = requestOf(forge, pull);
      pull.unjudged = Math.max(0, pull.unjudged - 1);
      return ok(body);
    }
    case 'approvals': {
      const approved = forge.opinions(pull).filter((review) => review.state === 'approved' && !review.isOutsider);
      return ok({ approved: true, approved_by: approved.map((review) => ({ user: user(review.by) })) });
    }
    case 'reviewers':
      return ok(
        forge.opinions(pull).map((review) => ({
          user: user(review.by),
          state: review.state === 'approved' ? 'approved' : 'requested_changes',
        })),
      );
    case 'discussions': {
      const page = Number(asked.query.get('page') ?? '1');
      const size = Number(asked.query.get('per_page') ?? '20');
      const all = discussionsOf(pull);
      const next = page * size < all.length ? String(page + 1) : '';
      return { ...ok(all.slice((page - 1) * size, page * size)), headers: { 'x-next-page': next } };
    }
    case 'notes':
      return notes(forge, asked, pull);
    case 'merge':
      return merge(forge, asked, pull);
    default:
      throw new Refused(404, '404 Not Found');
  }
}

function close(forge: FakeForge, asked: Asked, pull: FakePull): Answer {
  if (asText((asked.body as Record<string, unknown>)['state_event']) !== 'close')
    throw new Refused(400, '400 Bad Request');
  if (pull.state === 'merged') throw new Refused(405, '405 Method Not Allowed');
  forge.closeByCall(pull.number);
  return ok(requestOf(forge, pull));
}

function notes(forge: FakeForge, asked: Asked, pull: FakePull): Answer {
  const noteOf = (body: string): Record<string, unknown> => ({ id: 1, body, author: user('town-bot'), system: false });
  if (asked.method !== 'POST') return ok(pull.comments.toReversed().slice(0, 100).map(noteOf));
  const body = asText((asked.body as Record<string, unknown>)['body']);
  forge.comment(pull.number, body);
  return ok(noteOf(body), 201);
}

function merge(forge: FakeForge, asked: Asked, pull: FakePull): Answer {
  const body = asked.body as Record<string, unknown>;
  const isSquash = body['squash'] === true;
  const style = isSquash ? 'squash' : methodOf(forge) === 'ff' ? 'rebase' : 'merge';
  const message = asText(isSquash ? body['squash_commit_message'] : body['merge_commit_message']);
  if (style === 'rebase' && isBehind(forge, pull)) throw new Refused(405, '405 Method Not Allowed');
  forge.merge(pull.number, asText(body['sha']), style, message === '' ? pull.title : message);
  return ok(requestOf(forge, pull));
}
