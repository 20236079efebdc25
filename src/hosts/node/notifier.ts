import type { Notification, Notifier, NotifyOutcome } from '../../ports/notifier.ts';
import type { OutsideRoute } from '../../core/model/escalation.ts';
import { showOnDesktop } from './desktop-notice.ts';
import type { EmailConfig, EscalationConfig, WebhookConfig } from '../../settings/escalation-config.ts';
import { readSecret } from './secret-reference.ts';

/** Below the deadline of an effect (20 s), after which the same telling would be tried beside this one. */
const SEND_TIMEOUT_MS = 15_000;
/** A step of the mail server's dialogue; a few of them fit into the whole. */
const SMTP_STEP_TIMEOUT_MS = 5_000;
const SUBJECT_CHARS_MAX = 150;
/** From here on a mail server's answer is final. */
const SMTP_PERMANENT = 500;

export interface NodeNotifierOptions {
  /** Name of the town, for people who have several. */
  readonly town: string;
  readonly config: EscalationConfig;
  readonly env: NodeJS.ProcessEnv;
}

/** Webhooks signed by the Standard Webhooks scheme, e-mail by SMTP, and notices of the desktop. */
export class NodeNotifier implements Notifier {
  readonly #town: string;
  readonly #env: NodeJS.ProcessEnv;
  #config: EscalationConfig;

  constructor(options: NodeNotifierOptions) {
    this.#town = options.town;
    this.#env = options.env;
    this.#config = options.config;
  }

  configure(config: EscalationConfig): void {
    this.#config = config;
  }

  async send(route: OutsideRoute, notification: Notification): Promise<NotifyOutcome> {
    const { webhook, email, desktop } = this.#config;
    try {
      if (route === 'desktop')
        return desktop ? await showOnDesktop(this.#town, notification, this.#env) : off('[escalation] desktop');
      if (route === 'webhook')
        return webhook === null ? off('[escalation.webhook]') : await this.#post(webhook, notification);
      return email === null ? off('[escalation.email]') : await this.#mail(email, notification);
    } catch (error) {
      return judge(error);
    }
  }

  async #post(config: WebhookConfig, notification: Notification): Promise<NotifyOutcome> {
    const { postWebhook } = await import('../../api/webhook.ts');
    const secret = readSecret(config.secret, this.#env);
    return postWebhook({ url: config.url, secret, town: this.#town, notification });
  }

  async #mail(config: EmailConfig, notification: Notification): Promise<NotifyOutcome> {
    const isLocal = config.host === 'localhost' || config.host === '127.0.0.1' || config.host === '::1';
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      host: config.host,
      port: config.port,
      secure: config.secure,
      requireTLS: !config.secure && config.user !== null && !isLocal,
      ...(config.user === null
        ? {}
        : {
            auth: {
              user: config.user,
              pass: config.password === null ? '' : readSecret(config.password, this.#env),
            },
          }),
      connectionTimeout: SMTP_STEP_TIMEOUT_MS,
      greetingTimeout: SMTP_STEP_TIMEOUT_MS,
      socketTimeout: SMTP_STEP_TIMEOUT_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const timer = setTimeout(() => {
      transport.close();
    }, SEND_TIMEOUT_MS);
    try {
      await transport.sendMail({
        from: config.from,
        to: [...config.to],
        subject: `[${this.#town}] ${notification.severity}: ${notification.subject}`.slice(0, SUBJECT_CHARS_MAX),
        // The same telling has the same id, so that mail programs show a repeat once.
        messageId: `<${notification.key.replaceAll(':', '.')}@gastown>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
        text: textOf(this.#town, notification),
      });
      return { state: 'sent' };
    } finally {
      clearTimeout(timer);
      transport.close();
    }
  }
}

const off = (section: string): NotifyOutcome => ({ state: 'off', error: `${section} is not set up` });

function textOf(town: string, notification: Notification): string {
  return [
    notification.message,
    '',
    `Town: ${town}${notification.rig === null ? '' : `, rig ${notification.rig}`}`,
    `Escalation: ${notification.escalation} (${notification.severity}, ${notification.category})`,
    `Raised: ${new Date(notification.raisedAtMs).toISOString()}`,
    ...(notification.rises === 0 ? [] : [`Nobody has acknowledged it; it rose ${String(notification.rises)} times.`]),
    '',
    `See and answer it: ${notification.next}`,
  ].join('\n');
}

/** What a mail server or a broken reference says for good is final; everything else may be over soon. */
function judge(error: unknown): NotifyOutcome {
  const text = error instanceof Error ? error.message : String(error);
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'responseCode') : null;
  const isFinal = (typeof code === 'number' && code >= SMTP_PERMANENT) || text.startsWith('there is no secret');
  return { state: isFinal ? 'failed' : 'retry', error: text.slice(0, 300) };
}
