/** Looks at an isolated attempt's work from inside a sandbox: an order on standard input, an answer on standard output. */
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';

import { Mutex } from '../mutex.ts';
import { errorText } from '../text.ts';
import { look, type Look, type LookAnswer } from './look.ts';

const [gitDir = '', workTree = ''] = process.argv.slice(2);
const place = { town: process.env['GT_TOWN'] ?? '', runner: process.env['GT_RUNNER'] ?? '', gitDir };
let answer: LookAnswer;
try {
  // From the runner: it is as it has to be.
  const order = JSON.parse(await text(process.stdin)) as Look;
  answer = await look(
    { rig: '', place, writer: new Mutex() },
    { rig: '', name: basename(workTree), path: workTree, place: { ...place, workTree } },
    order,
  );
} catch (error) {
  answer = { op: 'failed', message: errorText(error) };
}
process.stdout.write(JSON.stringify(answer));
