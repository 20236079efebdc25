/** A real town for the browser: one rig, a convoy, merged work, hostile words, a log of many lines. */
import { Place, until } from '../e2e/cli-support.ts';

export const LOG_LINES = 20_000;
/** What an agent, a mail or a title could say to a page that believes it. */
export const HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';

const script = (text: string): string => `\`\`\`gt-script\n${text}\n\`\`\`\n`;

export class Stage {
  readonly place = new Place();
  readonly town: string = this.place.path('town');
  convoy = '';
  merged = '';
  loud = '';
  staged = '';
  asking = '';

  gt(...args: readonly string[]): ReturnType<Place['gt']> {
    return this.place.gt([...args, '--town', this.town]);
  }

  json<T>(...args: readonly string[]): Promise<T> {
    return this.place.json<T>([...args, '--town', this.town]);
  }

  async bead(title: string, text: string, isSlung: boolean): Promise<string> {
    const answer = await this.call('POST', 'beads', { rig: 'app', title, body: script(text), sling: isSlung });
    if (!answer.ok) throw new Error(`${title}: ${await answer.text()}`);
    return ((await answer.json()) as { id: string }).id;
  }

  async open(): Promise<void> {
    await this.place.gt(['init', 'town']);
    await this.must('rig', 'add', 'app', this.place.origin('app'));
    await this.json('up');
    const plan = [
      '[[tasks]]\nid = "first"\nrig = "app"\ntitle = "The first"\nbody = """\n```gt-script\necho one > one.txt\n```\n"""',
      '[[tasks]]\nrig = "app"\ntitle = "The second"\nbody = """\n```gt-script\necho two > two.txt\n```\n"""\ndepends_on = ["first"]',
    ];
    const file = this.place.file('plan.toml', `${plan.join('\n')}\n`);
    this.convoy = (await this.json<{ id: string }>('convoy', 'create', 'Two steps', '--file', file)).id;
    this.merged = await this.bead('Add a file', 'echo good > good.txt', true);
    this.loud = await this.bead(
      `Loud ${HOSTILE}`,
      `echo '${HOSTILE}'; printf '\\033[31mred\\033[0m \\033]0;title\\007\\n'; seq 1 ${String(LOG_LINES)}; echo loud > loud.txt; echo the very last line`,
      true,
    );
    this.asking = await this.bead('Asks a person', `gt escalate '${HOSTILE}' --severity high; sleep 600`, true);
    this.staged = await this.bead('Not slung yet', 'echo later > later.txt', false);
    await this.must('mail', 'send', 'human', `Mail ${HOSTILE}`, '--body', HOSTILE);
    for (const id of [this.merged, this.loud]) await this.closed(id);
    await this.#stands(`convoys/${this.convoy}`, 'landed');
  }

  closed(id: string): Promise<true> {
    return this.#stands(`beads/${id}`, 'closed');
  }

  /** Asked of the town itself: a process of the command for each look would load the machine that the browser needs. */
  #stands(path: string, status: string): Promise<true> {
    return until(
      async () =>
        ((await (await this.call('GET', path)).json()) as { status: string }).status === status ? true : null,
      `${path} is ${status}`,
    );
  }

  async must(...args: readonly string[]): Promise<void> {
    const answer = await this.gt(...args);
    if (answer.code !== 0) throw new Error(`gt ${args.join(' ')}: ${answer.err}`);
  }

  /** The town's own address. */
  url(): string {
    return String((JSON.parse(this.place.read('town', 'daemon', 'endpoint.json')) as { url: string }).url);
  }

  link(role = 'owner'): Promise<{ readonly url: string; readonly token: string | null }> {
    return this.json('dashboard', '--role', role, '--token');
  }

  /** One call as the owner. */
  async call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Response> {
    const { owner } = JSON.parse(this.place.read('town', '.gastown', 'secrets.json')) as { owner: string };
    return fetch(`${this.url()}/api/v1/towns/_/${path}`, {
      method,
      headers: { authorization: `Bearer ${owner}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async close(): Promise<void> {
    // One agent sleeps on purpose: nobody waits for it.
    await this.gt('bead', 'close', this.asking, '--note', 'the test is over');
    await this.gt('down');
    this.place.remove();
  }
}
