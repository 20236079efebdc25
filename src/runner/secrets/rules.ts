/** What a key looks like. */
export interface SecretRule {
  readonly name: string;
  /** Matches one key in a line; a group named `key` is the key itself, else all of the match is. */
  readonly pattern: RegExp;
  /** Where its form is written down. */
  readonly source: string;
}

/**
 * Only forms that a provider gives to its keys so that they can be found, by the providers' own descriptions, and private
 * keys in their files' frames. No guesses by randomness or by the name of a variable: they hit test data and hashes, and
 * what cries wolf is switched off. A form has a length or an alphabet that a word of prose or an id does not have.
 */
export const SECRET_RULES: readonly SecretRule[] = [
  rule('private-key', /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----/, 'RFC 7468, OpenPGP RFC 9580'),
  rule('age-secret-key', /\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b/, 'age-encryption.org/v1'),
  rule('aws-access-key', /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/, 'AWS IAM, "unique identifiers"'),
  rule('anthropic-key', /\bsk-ant-[a-z]{3,6}\d{2}-[\w-]{80,120}/, 'Anthropic console'),
  rule(
    'openai-key',
    /\bsk-(?:proj|svcacct|admin)-[\w-]{40,200}|\bsk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}\b/,
    'OpenAI platform',
  ),
  rule(
    'github-token',
    /\bgh[pousr]_[A-Za-z0-9]{36,251}\b|\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b/,
    'GitHub, "token formats"',
  ),
  rule('gitlab-token', /\bgl(?:pat|dt|rt|cbt|ptt|ft|soat)-[\w-]{20,50}/, 'GitLab, "token prefixes"'),
  rule('google-api-key', /\bAIza[\w-]{35}(?![\w-])/, 'Google Cloud, API keys'),
  rule('google-client-secret', /\bGOCSPX-[\w-]{28}(?![\w-])/, 'Google OAuth clients'),
  rule(
    'slack-token',
    /\bxox[abeoprs]-\d{8,14}-[\w-]{20,}|\bxapp-\d-[A-Z0-9]{8,14}-\d{8,14}-[a-f0-9]{64}\b/,
    'Slack, "token types"',
  ),
  rule(
    'slack-webhook',
    /hooks\.slack\.com\/services\/T[A-Z0-9]{7,12}\/B[A-Z0-9]{7,12}\/[A-Za-z0-9]{24}\b/,
    'Slack, incoming webhooks',
  ),
  rule('stripe-key', /\b[rs]k_live_[A-Za-z0-9]{24,247}\b/, 'Stripe, "API keys"'),
  rule('npm-token', /\bnpm_[A-Za-z0-9]{36}\b/, 'npm, granular access tokens'),
  rule('pypi-token', /\bpypi-AgEIcHlwaS5vcmc[\w-]{50,}/, 'PyPI, API tokens'),
  rule('docker-token', /\bdckr_(?:pat|oat)_[\w-]{27,32}/, 'Docker Hub, access tokens'),
  rule('huggingface-token', /\bhf_[A-Za-z]{34}\b/, 'Hugging Face, user access tokens'),
  rule('sendgrid-key', /\bSG\.[\w-]{22}\.[\w-]{43}(?![\w-])/, 'SendGrid, API keys'),
  rule('digitalocean-token', /\bdo[oprt]_v1_[a-f0-9]{64}\b/, 'DigitalOcean, tokens'),
  rule('shopify-token', /\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b/, 'Shopify, access tokens'),
  rule('telegram-bot-token', /\b\d{8,10}:AA[\w-]{33}(?![\w-])/, 'Telegram Bot API'),
  rule('vault-token', /\bhv[sbr]\.[\w-]{24,200}/, 'HashiCorp Vault, tokens'),
  rule('azure-storage-key', /\bAccountKey=(?<key>[A-Za-z0-9+/]{86}==)/, 'Azure Storage, connection strings'),
];

function rule(name: string, pattern: RegExp, source: string): SecretRule {
  return { name, pattern, source };
}
