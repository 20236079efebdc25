import type { AgentItem } from '../../api/contract/agents.ts';
import type { BeadDetailItem, QueueItem } from '../../api/contract/beads.ts';
import type { WhyItem } from '../../api/contract/common.ts';
import type { CostsItem } from '../../api/contract/money.ts';
import type { StreamFrame } from '../../api/contract/stream.ts';
import type { SnapshotItem, StatusItem } from '../../api/contract/town.ts';
import { TownError } from '../../core/errors.ts';
import { isBeadId } from '../../core/model/ids.ts';
import { plain } from '../output.ts';
import { NoAnswer, NotListening } from '../socket-http.ts';
import { segment, type TownClient } from '../town-client.ts';
import type { TownNow } from './state.ts';

/** Lines of a bead's text that fit beside the rest. */
const BODY_LINES_MAX = 30;

const lines = (text: string): readonly string[] => plain(text).split('\n');

/** What `gt top` asks of a town. It never changes anything. */
export class Reader {
  readonly #client: TownClient;

  /** Over a socket of this machine; a town elsewhere is read again and again. */
  readonly hasStream: boolean;

  constructor(client: TownClient, hasStream: boolean) {
    this.#client = client;
    this.hasStream = hasStream;
  }

  /** The latest answer came from the databases. */
  get isAway(): boolean {
    return this.#client.isAway;
  }

  /** Errors: those of the API. */
  async read(): Promise<TownNow> {
    const [status, agents, queue, costs] = await Promise.all([
      this.#client.get<StatusItem>('status'),
      this.#client.get<{ items: readonly AgentItem[] }>('agents'),
      this.#client.get<{ items: readonly QueueItem[] }>('mq'),
      this.#client.get<CostsItem>('costs').catch(() => null),
    ]);
    return { status, agents: agents.items, queue: queue.items, costs };
  }

  /** From where the stream must begin, so that nothing between it and what is read later is missed. */
  async cursor(): Promise<string> {
    return (await this.#client.get<SnapshotItem>('snapshot')).cursor;
  }

  frames(cursor: string): AsyncGenerator<StreamFrame, void> {
    return this.#client.frames<StreamFrame>('stream', cursor);
  }

  /** What it waits for, in lines. */
  async why(subject: string): Promise<readonly string[]> {
    const answer = await this.#client.get<WhyItem>(`why/${segment(subject)}`);
    return [
      ...lines(answer.sentence),
      '',
      `rule  ${answer.rule}`,
      ...(answer.next === null ? [] : [`next  ${plain(answer.next)}`]),
      ...(answer.command === null ? [] : [`run   ${plain(answer.command)}`]),
    ];
  }

  /** The thing itself, in lines; of what is no bead, why it is as it is. */
  async open(subject: string): Promise<readonly string[]> {
    if (!isBeadId(subject)) return this.why(subject);
    const bead = await this.#client.get<BeadDetailItem>(`beads/${segment(subject)}`);
    const body = lines(bead.body);
    return [
      ...lines(bead.title),
      '',
      `status    ${bead.phase.replaceAll('_', ' ')}`,
      `priority  ${bead.priority}`,
      `agent     ${bead.agent ?? '-'}`,
      `attempts  ${String(bead.attempt_list.length)}`,
      `why       ${plain(bead.why.sentence)}`,
      `more      gt bead show ${bead.id}`,
      '',
      ...body.slice(0, BODY_LINES_MAX),
      ...(body.length > BODY_LINES_MAX ? [`… ${String(body.length - BODY_LINES_MAX)} more lines`] : []),
    ];
  }
}

/** Nobody answered: it may answer later. */
export const isGone = (error: unknown): boolean =>
  error instanceof NotListening ||
  error instanceof NoAnswer ||
  (error instanceof TownError && (error.kind === 'unreachable' || error.kind === 'busy'));
