/** The status as a page that refreshes itself: the text, with what is wrong in colour. */
import type { StatusReport } from '@systole/api';
import { escapeXml } from '@systole/cib';
import { troubles } from './status.ts';

const REFRESH_SECONDS = 10;

export function statusHtml(report: StatusReport, text: string): string {
  const [worst] = troubles(report);
  const colour = worst === undefined ? '#2e7d32' : worst.level === 'error' ? '#c62828' : '#ef6c00';
  const lines = text.split('\n').map((line) => {
    const html = escapeXml(line);
    if (/^ERROR\b|UNCLEAN/.test(line)) return `<span class="error">${html}</span>`;
    return line.startsWith('warning') ? `<span class="warning">${html}</span>` : html;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="${REFRESH_SECONDS}">
<title>${escapeXml(report.cluster)}: ${worst === undefined ? 'ok' : escapeXml(worst.text)}</title>
<style>
  body { border-top: 8px solid ${colour}; margin: 0; padding: 1em; font: 14px/1.5 monospace; }
  .error { color: #c62828; font-weight: bold; }
  .warning { color: #ef6c00; }
</style>
<pre>${lines.join('\n')}</pre>
</html>
`;
}
