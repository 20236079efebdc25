/** What stands before the instances of a cluster: passes each connection to the first one that takes it. */
import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface Front {
  readonly port: number;
  close(): void;
}

/** `ports` are asked anew for each connection, in their order. */
export async function startFront(ports: () => readonly number[]): Promise<Front> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    open.add(client);
    client.on('error', () => undefined);
    client.once('close', () => open.delete(client));
    pass(client, ports());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const client of open) client.destroy();
      server.close();
    },
  };
}

function pass(client: Socket, [port, ...others]: readonly number[]): void {
  if (port === undefined) {
    client.destroy();
    return;
  }
  const instance = connect(port, '127.0.0.1');
  let isConnected = false;
  instance.once('connect', () => {
    isConnected = true;
    client.pipe(instance).pipe(client);
  });
  instance.on('error', () => {
    if (isConnected) client.destroy();
    else pass(client, others);
  });
  instance.once('close', () => {
    if (isConnected) client.destroy();
  });
  client.once('close', () => {
    instance.destroy();
  });
}
