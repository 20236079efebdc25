/** The alarm port, on each host's own clock. */
import { equal, type Case } from './case.ts';

/** One alarm and what may happen to it. */
export interface AlarmBench {
  set(inMs: number | null): unknown;
  /** Its work sets it again so often. */
  again(times: number): unknown;
  rings(): number | Promise<number>;
}

/** What only an object has: a platform that counts throws, forgets alarms and restarts it. */
export interface ObjectAlarmBench extends AlarmBench {
  throwNext(times: number): unknown;
  /** The object wants to be woken for something else, beside its actor. */
  also(inMs: number | null): unknown;
  others(): number | Promise<number>;
  lose(): unknown;
  crash(): Promise<unknown>;
}

/** Far above what a loaded machine needs. */
const PATIENCE_MS = 20_000;
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function rang(bench: AlarmBench, times: number): Promise<void> {
  const untilMs = Date.now() + PATIENCE_MS;
  while ((await bench.rings()) < times) {
    if (Date.now() > untilMs) throw new Error(`it rang ${String(await bench.rings())} times, not ${String(times)}`);
    await wait(5);
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const untilMs = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > untilMs) throw new Error('it did not come');
    await wait(5);
  }
}

/** Long enough for a second, wrong ring. */
async function staysAt(bench: AlarmBench, times: number): Promise<void> {
  await wait(80);
  equal(await bench.rings(), times, 'rings');
}

export const ALARM_CASES: readonly Case<AlarmBench>[] = [
  {
    name: 'rings once, and not before its time',
    run: async (bench) => {
      const startedAtMs = Date.now();
      await bench.set(60);
      await rang(bench, 1);
      equal(Date.now() - startedAtMs >= 59, true, 'not too early');
      await staysAt(bench, 1);
    },
  },
  {
    name: 'the last one set counts',
    run: async (bench) => {
      await bench.set(60_000);
      await bench.set(10);
      await rang(bench, 1);
      await bench.set(10);
      await bench.set(60_000);
      await staysAt(bench, 1);
    },
  },
  {
    name: 'null clears it',
    run: async (bench) => {
      await bench.set(30);
      await bench.set(null);
      await staysAt(bench, 0);
    },
  },
  {
    name: 'a time in the past rings at once',
    run: async (bench) => {
      await bench.set(-5_000);
      await rang(bench, 1);
    },
  },
  {
    name: 'its work may set it again',
    run: async (bench) => {
      await bench.again(5);
      await bench.set(1);
      await rang(bench, 6);
      await staysAt(bench, 6);
    },
  },
];

export const OBJECT_ALARM_CASES: readonly Case<ObjectAlarmBench>[] = [
  {
    name: 'wakes its object for something else too, and neither time hides the other',
    run: async (bench) => {
      await bench.also(20);
      await bench.set(60_000);
      await until(async () => (await bench.others()) === 1);
      await bench.also(60_000);
      await bench.set(20);
      await until(async () => (await bench.rings()) >= 1);
      await bench.also(null);
      await bench.set(null);
      equal(await bench.others(), 1, 'the other time');
    },
  },
  {
    name: 'rings on after its work threw nine times: the platform gives up after seven',
    run: async (bench) => {
      await bench.throwNext(9);
      await bench.set(1);
      await rang(bench, 10);
      await staysAt(bench, 10);
    },
  },
  {
    name: 'rings although its object died meanwhile',
    run: async (bench) => {
      await bench.set(50);
      await bench.crash().catch(() => undefined);
      await rang(bench, 1);
    },
  },
  {
    name: 'set to the same time again, one that was lost comes back',
    run: async (bench) => {
      await bench.set(40);
      await bench.lose();
      await staysAt(bench, 0);
      await bench.set(20);
      await rang(bench, 1);
    },
  },
];
