import type { z } from 'zod';
import { statusSchema } from '../../api/contract/town.ts';
import { ActorObject, type Hosted } from './actor-object.ts';
import { appOf } from './app-of.ts';

/** Who asks: the same credential as in the API, and for a change the key that makes a repeat the same change. */
export interface RpcCall {
  readonly token: string;
  readonly key?: string;
}

/** Errors are data: a class does not survive the way between Workers. */
export type RpcAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string; readonly next: string } };

export interface AlarmStatus {
  /** When the object wakes by itself; null: never, at rest. */
  readonly alarmAtMs: number | null;
  readonly held: boolean;
}

/**
 * An object that other Workers of the account call by the method names that the system was ordered with. Each is one
 * request to the town's own application, so validation, rights and idempotency are those of the API, and there is no
 * second way to change anything.
 */
export abstract class CalledObject<H extends Hosted = Hosted> extends ActorObject<H> {
  /** Whether the object is there and its actor can be opened; sets an alarm again that was lost. Needs no credential. */
  async healthCheck(): Promise<{ readonly status: 'ok' | 'held' | 'unavailable' }> {
    if (this.isHeld()) return { status: 'held' };
    try {
      const { actor } = await this.open();
      actor.rearm();
      return { status: 'ok' };
    } catch {
      return { status: 'unavailable' };
    }
  }

  async getAlarmStatus(call: RpcCall): Promise<RpcAnswer<AlarmStatus>> {
    const status = await this.ask(statusSchema, call, { method: 'GET', path: 'status' });
    if (!status.ok) return status;
    return { ok: true, value: { alarmAtMs: await this.ctx.storage.getAlarm(), held: this.isHeld() } };
  }

  /** A turn now, with everything that is due: what the alarm does. The rules decide what there is to do. */
  protected async turn(call: RpcCall): Promise<RpcAnswer<AlarmStatus>> {
    const status = await this.getAlarmStatus(call);
    if (!status.ok) return status;
    await this.alarm();
    return this.getAlarmStatus(call);
  }

  protected async ask<T>(
    schema: z.ZodType<T>,
    call: RpcCall,
    request: { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: unknown },
  ): Promise<RpcAnswer<T>> {
    const { method, path, body } = request;
    const response = await appOf(this.env).fetch(
      new Request(`https://town/api/v1/towns/_/${path}`, {
        method,
        headers: {
          authorization: `Bearer ${call.token}`,
          ...(call.key === undefined ? {} : { 'idempotency-key': call.key }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    const data: unknown = await response.json();
    return response.ok ? { ok: true, value: schema.parse(data) } : { ok: false, error: problemIn(data) };
  }
}

function problemIn(data: unknown): { readonly code: string; readonly message: string; readonly next: string } {
  const field = (name: string): string => {
    const value: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, name) : undefined;
    return typeof value === 'string' ? value : '';
  };
  return { code: field('code'), message: field('detail'), next: field('next') };
}

export const segment = (text: string): string => encodeURIComponent(text);
