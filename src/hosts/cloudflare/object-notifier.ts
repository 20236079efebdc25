import { postWebhook } from '../../api/webhook.ts';
import type { OutsideRoute } from '../../core/model/escalation.ts';
import type { Notification, Notifier, NotifyOutcome } from '../../ports/notifier.ts';
import type { Settings } from '../../settings/settings.ts';

const NO_MAIL = 'A Worker can not speak SMTP, so [escalation.email] sends nothing; use [escalation.webhook].';
const NO_DESKTOP = 'A Worker has no desktop, so escalation.desktop shows nothing; use [escalation.webhook].';
const NO_LISTEN = 'Runners dial the address of the Worker, so daemon.runner_listen opens nothing.';
const NO_FILE =
  'A Worker has no files, so escalation.webhook.secret can not be read from one; bind a secret and write "env:NAME".';

const NO_TOKEN_FILE =
  'A Worker has no files, so a forge_token can not be read from one; bind a secret and write "env:NAME".';

/** What a file may say that this host can't do, in sentences. */
export function notHere(settings: Settings): readonly string[] {
  const { email, desktop, webhook } = settings.escalation;
  return [
    ...(email === null ? [] : [NO_MAIL]),
    ...(desktop ? [NO_DESKTOP] : []),
    ...(webhook?.secret.startsWith('file:') === true ? [NO_FILE] : []),
    ...(settings.rigs.some((rig) => rig.forge?.token.startsWith('file:') === true) ? [NO_TOKEN_FILE] : []),
    ...(settings.runnerListen === null ? [] : [NO_LISTEN]),
  ];
}

/** Tells people by webhook. Settings are read anew for each telling: the object may be a new one by then. */
export class ObjectNotifier implements Notifier {
  readonly #town: string;
  readonly #settings: () => Settings;
  /** A secret that was bound to the Worker. */
  readonly #secret: (name: string) => string | null;

  constructor(options: {
    readonly town: string;
    readonly settings: () => Settings;
    readonly secret: (name: string) => string | null;
  }) {
    this.#town = options.town;
    this.#settings = options.settings;
    this.#secret = options.secret;
  }

  async send(route: OutsideRoute, notification: Notification): Promise<NotifyOutcome> {
    try {
      const { webhook, email, desktop } = this.#settings().escalation;
      if (route === 'email') return email === null ? off('[escalation.email]') : { state: 'failed', error: NO_MAIL };
      if (route === 'desktop') return desktop ? { state: 'failed', error: NO_DESKTOP } : off('[escalation] desktop');
      if (webhook === null) return off('[escalation.webhook]');
      if (webhook.secret.startsWith('file:')) return { state: 'failed', error: NO_FILE };
      const secret = this.#secret(webhook.secret.slice('env:'.length));
      if (secret === null) return { state: 'failed', error: `there is no secret at ${webhook.secret}` };
      return await postWebhook({ url: webhook.url, secret, town: this.#town, notification });
    } catch (error) {
      return { state: 'retry', error: (error instanceof Error ? error.message : String(error)).slice(0, 300) };
    }
  }
}

const off = (section: string): NotifyOutcome => ({ state: 'off', error: `${section} is not set up` });
