/** Where traces go, and with which headers. The headers may hold a secret: they are sent there and shown nowhere. */
export interface TraceTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const TRACES_PATH = '/v1/traces';

/** The standard variables of OpenTelemetry stand above the town's file. Null: nothing is told, which is the default. */
export function traceTarget(
  otlpUrl: string | null,
  env: Readonly<Record<string, string | undefined>>,
): TraceTarget | null {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return null;
  const exact = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? otlpUrl;
  const text = isSet(exact) ? exact : isSet(base) ? base.replace(/\/+$/, '') + TRACES_PATH : null;
  if (text === null || !/^https?:\/\//.test(text) || !URL.canParse(text)) return null;
  return {
    url: text,
    headers: headersOf(env['OTEL_EXPORTER_OTLP_TRACES_HEADERS'] ?? env['OTEL_EXPORTER_OTLP_HEADERS']),
  };
}

const isSet = (text: string | null | undefined): text is string => text !== undefined && text !== null && text !== '';

/** `key=value,key2=value2`, values escaped as in addresses; what is neither is left out. */
function headersOf(text: string | undefined): Readonly<Record<string, string>> {
  const pairs = (text ?? '').split(',').flatMap((pair) => {
    const at = pair.indexOf('=');
    const name = pair.slice(0, Math.max(0, at)).trim().toLowerCase();
    const value = unescaped(pair.slice(at + 1).trim());
    return /^[a-z0-9-]+$/.test(name) && value !== null ? [[name, value] as const] : [];
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
