import type { Greeting } from '../../api/contract/runner-auth.ts';
import type { DurableSocket } from './durable.ts';

/** Everything that is known of a line: attached to its socket, so that the object can forget it. No secrets. */
export interface Seat {
  /** `over`: nothing that still comes on it counts. */
  readonly state: 'greeting' | 'proven' | 'met' | 'over';
  readonly about: Greeting;
  /** Of the token that was shown. */
  readonly serial: string;
  readonly isNext: boolean;
  readonly openedAtMs: number;
  /** Ids of calls below this may have been used on this connection. */
  readonly idsBelow: number;
}

/** Ids are set aside so many at a time: an attachment is written once for all of them. */
const IDS_AT_ONCE = 1_000;

const isSeat = (value: unknown): value is Seat => typeof value === 'object' && value !== null && 'state' in value;

/** Errors: the socket is none of ours. */
export function seatOf(socket: DurableSocket): Seat {
  const seat = socket.deserializeAttachment();
  if (!isSeat(seat)) throw new Error('this connection has no seat');
  return seat;
}

export function changeSeat(socket: DurableSocket, change: Partial<Seat>): Seat {
  const seat = { ...seatOf(socket), ...change };
  socket.serializeAttachment(seat);
  return seat;
}

/** Ids that this connection never had, also after its object was made anew: the runner answers a repeat from memory. */
export function idsOf(socket: DurableSocket): () => number {
  let next = seatOf(socket).idsBelow;
  let below = next;
  return () => {
    if (next >= below) {
      below = next + IDS_AT_ONCE;
      changeSeat(socket, { idsBelow: below });
    }
    const id = next;
    next += 1;
    return id;
  };
}
