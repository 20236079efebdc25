import { z } from 'zod';
import { secretReference } from './secret-setting.ts';

const TEXT_CHARS_MAX = 1_024;
const RECEIVERS_MAX = 20;
const PORT_MAX = 65_535;
/** Submission with STARTTLS; 465 is TLS from the first byte. */
const SMTP_PORT = 587;
const SMTPS_PORT = 465;

const line = z
  .string()
  .regex(/^[^\p{Cc}]+$/u, 'one line of text')
  .max(TEXT_CHARS_MAX);
const address = line.regex(/^[^\s@]+@[^\s@]+$/, 'an e-mail address like "ops@example.org"');
const host = line.regex(/^[\w.:-]+$/, 'a host name or an address');
const url = line.refine((value) => {
  const parsed = URL.canParse(value) ? new URL(value) : null;
  return parsed !== null && (parsed.protocol === 'https:' || parsed.protocol === 'http:') && parsed.username === '';
}, 'an http or https address without a user in it');
const webhookSection = z.strictObject({ url, secret: secretReference });
const emailSection = z.strictObject({
  to: z.array(address).min(1).max(RECEIVERS_MAX),
  from: address,
  host,
  port: z.number().int().min(1).max(PORT_MAX).optional(),
  secure: z.boolean().optional(),
  user: line.optional(),
  password: secretReference.optional(),
});

/** `[escalation]` as it stands in the file. */
export interface EscalationSection {
  readonly webhook?: WebhookConfig | undefined;
  readonly email?: EmailSection | undefined;
  readonly desktop?: boolean | undefined;
}
interface EmailSection {
  readonly to: readonly string[];
  readonly from: string;
  readonly host: string;
  readonly port?: number | undefined;
  readonly secure?: boolean | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}
const section = z.strictObject({
  desktop: z.boolean().optional(),
  webhook: webhookSection.optional(),
  email: emailSection.optional(),
});
export const escalationSection: z.ZodType<EscalationSection> = section;

/** Names per section, for "did you mean". */
export const ESCALATION_KEYS: Readonly<Record<string, readonly string[]>> = {
  escalation: Object.keys(section.shape),
  'escalation.webhook': Object.keys(webhookSection.shape),
  'escalation.email': Object.keys(emailSection.shape),
};

export interface WebhookConfig {
  readonly url: string;
  /** Where the secret is; it is read when it is used, so that a new one counts at once. */
  readonly secret: string;
}

export interface EmailConfig {
  readonly to: readonly string[];
  readonly from: string;
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; otherwise STARTTLS, which is required before a password is sent. */
  readonly secure: boolean;
  readonly user: string | null;
  readonly password: string | null;
}

export interface EscalationConfig {
  readonly webhook: WebhookConfig | null;
  readonly email: EmailConfig | null;
  /** Critical ones appear on the desktop of the machine where the daemon runs. */
  readonly desktop: boolean;
}

export const escalationConfig = (file: EscalationSection | undefined): EscalationConfig => ({
  desktop: file?.desktop ?? false,
  webhook: file?.webhook ?? null,
  email: file?.email === undefined ? null : emailConfig(file.email),
});

function emailConfig(email: EmailSection): EmailConfig {
  const port = email.port ?? (email.secure === true ? SMTPS_PORT : SMTP_PORT);
  return {
    to: email.to,
    from: email.from,
    host: email.host,
    port,
    secure: email.secure ?? port === SMTPS_PORT,
    user: email.user ?? null,
    password: email.password ?? null,
  };
}
