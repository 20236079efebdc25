/**
 * Runs inside a sandbox without a network of its own: listens where programs look for a proxy, and passes each connection on
 * to the socket of the runner's proxy. Says a word when it listens. Ends with the sandbox, not by a signal to the agent.
 */
import { connect, createServer } from 'node:net';

const [socketPath = '', port = ''] = process.argv.slice(2);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
createServer({ allowHalfOpen: true }, (client) => {
  const way = connect({ path: socketPath, allowHalfOpen: true });
  for (const [one, other] of [
    [client, way],
    [way, client],
  ] as const) {
    one.on('error', () => other.destroy());
    one.once('close', () => other.destroy());
    one.pipe(other);
  }
}).listen(Number(port), '127.0.0.1', () => {
  process.stdout.write('open\n');
});
