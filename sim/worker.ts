/** One thread of the simulator: runs what it is asked, one selection after the other. */
import { parentPort } from 'node:worker_threads';
import type { Order } from './pool.ts';
import { run, runTwice } from './run.ts';

// Errors are everyday things here (lost calls, full disks); a failing seed is run again where stacks are wanted.
Error.stackTraceLimit = 0;

const port = parentPort;
port?.on('message', (order: Order) => {
  void (order.twice ? runTwice(order.selection) : run(order.selection)).then((result) => {
    port.postMessage(result);
  });
});
