/** A rig's tables in memory, with a writer whose time the test sets. */
import { SqliteSql } from '../../src/hosts/node/sql-sqlite.ts';
import type { Bead } from '../../src/core/model/bead.ts';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import type { Ref } from '../../src/core/refs.ts';
import { migrate } from '../../src/store/migrate.ts';
import { RIG_MIGRATIONS } from '../../src/store/migrations/rig.ts';
import type { NewBead } from '../../src/store/new-rows.ts';
import { SqlRigView } from '../../src/store/rig-view.ts';
import { RigWriter } from '../../src/store/rig-writer.ts';
import { beadId, commit, NOW, polecat } from './rig-view-builder.ts';

export class RigStore {
  readonly sql: SqliteSql = SqliteSql.open(':memory:', { readOnly: false });
  readonly view: SqlRigView;
  readonly dirty = new Set<Ref>();
  #epoch = 0;

  constructor() {
    migrate(this.sql, RIG_MIGRATIONS, NOW);
    this.view = new SqlRigView(this.sql);
  }

  writer(nowMs = NOW): RigWriter {
    return new RigWriter(this.sql, this.view, nowMs, (ref) => this.dirty.add(ref));
  }

  /** Inserts an open task. */
  bead(suffix: string, over: Partial<NewBead> = {}, nowMs = NOW): Bead {
    const id = beadId(suffix);
    this.writer(nowMs).insertBead({
      id,
      type: 'issue',
      kind: 'task',
      title: suffix,
      body: '',
      origin: 'human',
      priority: 'medium',
      hold: null,
      holdReason: null,
      parentId: null,
      branchOf: null,
      convoyId: null,
      convoyPosition: null,
      targetBranch: 'main',
      runtime: null,
      model: null,
      pinnedAgent: null,
      createdBy: 'human/test',
      ...over,
    });
    return this.get(id);
  }

  get(id: BeadId): Bead {
    const bead = this.view.bead(id);
    if (bead === null) throw new Error(`no bead ${id}`);
    return bead;
  }

  agent(name: string): ReturnType<typeof polecat> {
    this.writer().insertAgent(polecat(name), name);
    return polecat(name);
  }

  attempt(bead: Bead, agent: ReturnType<typeof polecat>): ReturnType<typeof trusted.attempt> {
    this.#epoch += 1;
    const id = trusted.attempt(`at-${String(this.#epoch).padStart(18, '0')}`);
    this.writer().insertAttempt({
      id,
      bead,
      agent,
      epoch: this.#epoch,
      runtime: 'script',
      model: null,
      round: 0,
      runner: 'local',
      instance: null,
      convoy: null,
      quotaScope: 'script/default',
      estimate: { tokens: 0, microUsd: 0 },
    });
    return id;
  }

  /** Inserts a merge request that waits in the train. */
  review(source: Bead, suffix: string, nowMs = NOW): BeadId {
    const row = this.bead(suffix, { type: 'merge_request', parentId: source.id, priority: source.priority }, nowMs);
    this.writer(nowMs).insertReview({
      id: row.id,
      source,
      branch: `gt/${source.id}`,
      head: commit(1),
      strategy: 'direct',
    });
    return row.id;
  }
}
