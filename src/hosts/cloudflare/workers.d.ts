/** What the Workers runtime gives and this host uses of it; the types of the state are in `durable.ts`. */
declare module 'cloudflare:workers' {
  export abstract class DurableObject<State, Env> {
    protected readonly ctx: State;
    protected readonly env: Env;
    constructor(ctx: State, env: Env);
  }
}
