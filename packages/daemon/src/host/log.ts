/** One JSON line an event to standard output: pino, a stable event name, then the sentence. */
import { type Logger, pino } from 'pino';

/** Values under these names never reach the log, at whatever depth agents' parameters put them. */
const secrets = ['passwd', 'password', 'secret', 'key', 'token', 'login_passwd', 'snmp_community'];

export type { Logger };

export function createLogger(level: string, node: string, cluster: string): Logger {
  const paths = secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  return pino({
    level,
    base: { cluster, node },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths, censor: '***' },
    formatters: { level: (label) => ({ level: label }) },
  });
}
