import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { z } from 'zod';
import { usage } from '../core/errors.ts';
import { isBeadId } from '../core/model/ids.ts';
import { meantOrKnown } from '../settings/nearest.ts';
import { readText } from './read-text.ts';

const reference = z.union([z.number().int(), z.string()]);
const task = z.strictObject({
  /** A label of the plan's own, for `depends_on`; `key` is another word for it. */
  id: z.string().min(1).optional(),
  key: z.string().min(1).optional(),
  rig: z.string(),
  title: z.string(),
  body: z.string().optional(),
  body_file: z.string().optional(),
  priority: z.string().optional(),
  runtime: z.string().optional(),
  model: z.string().optional(),
  depends_on: z.union([reference, z.array(reference)]).optional(),
});
const plan = z.strictObject({
  merge_mode: z.string().optional(),
  on_failure: z.string().optional(),
  /** Rigs in the order in which they land. */
  landing_order: z.array(z.string()).optional(),
  tasks: z.array(task).min(1, 'a plan has at least one task'),
});
type Plan = z.infer<typeof plan>;
type Task = z.infer<typeof task>;

/** A task of the request: labels are positions by now, body files are text. */
export interface PlannedTask {
  readonly rig: string;
  readonly title: string;
  readonly body: string | undefined;
  readonly priority: string | undefined;
  readonly runtime: string | undefined;
  readonly model: string | undefined;
  readonly depends_on: readonly (number | string)[];
}

/** A plan as the request takes it. */
export interface PlannedConvoy {
  readonly merge_mode: string | undefined;
  readonly on_failure: string | undefined;
  readonly landing_order: readonly string[] | undefined;
  readonly tasks: readonly PlannedTask[];
}

/** Reads a plan file. Errors: `file_unreadable`, `bad_plan`, `unknown_field`, `duplicate_label`, `two_bodies`. */
export function readPlan(file: string): PlannedConvoy {
  const { tasks, merge_mode, on_failure, landing_order } = check(parsePlan(file, readText(file, 'file')), file);
  return { merge_mode, on_failure, landing_order, tasks: plannedTasks(tasks, file) };
}

function plannedTasks(tasks: readonly Task[], file: string): readonly PlannedTask[] {
  const labels = labelsOf(tasks, file);
  return tasks.map((one, position) => ({
    rig: one.rig,
    title: one.title,
    body: bodyOf(one, { file, position }),
    priority: one.priority,
    runtime: one.runtime,
    model: one.model,
    depends_on: [one.depends_on ?? []]
      .flat()
      .map((entry) => (typeof entry === 'number' ? entry : (labels.get(entry) ?? beadNamed(entry, one.title, file)))),
  }));
}

/** Errors: `bad_bead_id`. */
function beadNamed(entry: string, title: string, file: string): string {
  if (isBeadId(entry)) return entry;
  throw usage(
    'bad_bead_id',
    `${file}: the task ${JSON.stringify(title)} waits for ${JSON.stringify(entry)}, which is neither a label of this plan nor a bead id.`,
    'Name the id of a task of this plan, or of a bead that exists.',
    'depends_on',
  );
}

function parsePlan(file: string, text: string): unknown {
  try {
    return file === '-' || file.endsWith('.json') ? JSON.parse(text) : parseToml(text);
  } catch (error) {
    const first = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw usage(
      'bad_plan',
      `${file} can't be read as ${file === '-' || file.endsWith('.json') ? 'JSON' : 'TOML'}: ${first}`,
      'See "gt help convoy create" for a plan.',
      'file',
    );
  }
}

function check(data: unknown, file: string): Plan {
  const parsed = plan.safeParse(data);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue?.path.map(String).join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') throw unknownField(file, at, issue.keys[0] ?? '');
  throw usage(
    'bad_plan',
    `${file}: ${at === '' ? 'the plan' : at} is not valid: ${issue?.message ?? 'unknown reason'}.`,
    'See "gt help convoy create" for a plan.',
    'file',
  );
}

function unknownField(file: string, at: string, key: string): Error {
  return usage(
    'unknown_field',
    `${file}: there is no field ${JSON.stringify(at === '' ? key : `${at}.${key}`)}.`,
    meantOrKnown(key, Object.keys(at === '' ? plan.shape : task.shape)),
    'file',
  );
}

function labelsOf(tasks: readonly Task[], file: string): ReadonlyMap<string, number> {
  const labels = new Map<string, number>();
  for (const [position, one] of tasks.entries()) {
    for (const label of new Set([one.id, one.key])) {
      if (label === undefined) continue;
      if (labels.has(label))
        throw usage(
          'duplicate_label',
          `${file}: two tasks are called ${JSON.stringify(label)}.`,
          'Give each task a label of its own.',
          'file',
        );
      labels.set(label, position);
    }
  }
  return labels;
}

function bodyOf(one: Task, where: { readonly file: string; readonly position: number }): string | undefined {
  if (one.body_file === undefined) return one.body;
  if (one.body !== undefined)
    throw usage(
      'two_bodies',
      `${where.file}: task ${String(where.position)} has both body and body_file.`,
      'Leave one of them out.',
      'file',
    );
  const path = resolve(where.file === '-' ? '.' : dirname(where.file), one.body_file);
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw usage(
      'file_unreadable',
      `${where.file}: the body_file ${JSON.stringify(one.body_file)} of task ${String(where.position)} can't be read.`,
      'Its path is relative to the plan.',
      'file',
    );
  }
}
