/** Where traces go, and with which headers. The headers may hold a secret: they are sent there and shown nowhere. */
export interface TraceTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const TRACES_PATH = '/v1/traces';

const EXACT = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
const BASE = 'OTEL_EXPORTER_OTLP_ENDPOINT';

/**
 * The standard variables of OpenTelemetry stand above the town's file; one that is empty counts as missing, and one that is
 * no address is named and passed over, as the standard has it. Null: nothing is told, which is the default.
 */
export function traceTarget(
  otlpUrl: string | null,
  env: Readonly<Record<string, string | undefined>>,
  onIgnored: (name: string) => void = () => undefined,
): TraceTarget | null {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return null;
  const given = [
    { name: EXACT, text: env[EXACT], path: '' },
    { name: BASE, text: env[BASE], path: TRACES_PATH },
    { name: 'otlp_url', text: otlpUrl ?? '', path: TRACES_PATH },
  ];
  for (const { name, text = '', path } of given) {
    if (text === '') continue;
    const url = path === '' ? text : text.replace(/\/+$/, '') + path;
    if (/^https?:\/\//.test(url) && URL.canParse(url))
      return {
        url,
        headers: headersOf(env['OTEL_EXPORTER_OTLP_TRACES_HEADERS'] ?? env['OTEL_EXPORTER_OTLP_HEADERS']),
      };
    onIgnored(name);
  }
  return null;
}

/** `key=value,key2=value2`, values escaped as in addresses; what is neither is left out. */
function headersOf(text: string | undefined): Readonly<Record<string, string>> {
  const pairs = (text ?? '').split(',').flatMap((pair) => {
    const at = pair.indexOf('=');
    const name = pair.slice(0, Math.max(0, at)).trim().toLowerCase();
    const value = unescaped(pair.slice(at + 1).trim());
    return /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) && value !== null ? [[name, value] as const] : [];
  });
  return Object.fromEntries(pairs);
}

function unescaped(text: string): string | null {
  try {
    const value = decodeURIComponent(text);
    return /^[\x20-\x7e]*$/.test(value) ? value : null;
  } catch {
    return null;
  }
}
