import { LOCAL_RUNNER } from '../core/model/runner.ts';
import type { HostPorts } from '../ports/host.ts';
import type { RunnerClient } from '../ports/runner-client.ts';

/** The line to a runner. Errors: it has none now; whoever calls tries again, or counts it as no answer. */
export function runnerAt({ ports }: { readonly ports: HostPorts }, id: string): RunnerClient {
  const client = id === LOCAL_RUNNER ? ports.runner : (ports.runners?.client(id) ?? null);
  if (client === null) throw new Error(`runner "${id}" has no line to the town`);
  return client;
}
