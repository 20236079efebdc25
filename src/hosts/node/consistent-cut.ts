import { openCopy } from './copy-database.ts';

/** What one actor's copy says about its wires: what each peer acknowledged, and what it has received from each. */
interface Wires {
  readonly address: string;
  readonly acknowledged: ReadonlyMap<string, number>;
  readonly received: ReadonlyMap<string, number>;
}

function readWires(address: string, path: string): Wires {
  const db = openCopy(path);
  try {
    const acknowledged = new Map<string, number>();
    const received = new Map<string, number>();
    for (const row of db.prepare('SELECT peer, sent, received FROM channels').all()) {
      acknowledged.set(String(row['peer']), Number(row['sent']));
      received.set(String(row['peer']), Number(row['received']));
    }
    const pending = db
      .prepare(
        `SELECT json_extract(payload, '$.to') AS peer, MIN(json_extract(payload, '$.seq')) AS seq FROM outbox
          WHERE kind = 'message' AND state = 'pending' GROUP BY peer`,
      )
      .all();
    for (const row of pending) acknowledged.set(String(row['peer']), Number(row['seq']) - 1);
    return { address, acknowledged, received };
  } finally {
    db.close();
  }
}

/**
 * Copies are taken one after the other while messages go on. Answers the addresses whose copy is too old: another copy
 * says that they took a message of which they know nothing, which nobody would send again.
 */
export function tooOld(copies: ReadonlyMap<string, string>): readonly string[] {
  const all = [...copies].map(([address, path]) => readWires(address, path));
  return all
    .filter((receiver) =>
      all.some(
        (sender) => (sender.acknowledged.get(receiver.address) ?? 0) > (receiver.received.get(sender.address) ?? 0),
      ),
    )
    .map((wires) => wires.address);
}
