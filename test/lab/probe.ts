/**
 * A client that asks for the same page again and again, and writes down when who answered. Run as a program in the
 * client's machine: `node probe.ts http://10.77.0.100:8080/ 10`; each answer is a line of JSON on standard output.
 */
import { get } from 'node:http';

export interface Answer {
  /** Wall clock when it was asked, and when the answer was there, in milliseconds since 1970. */
  readonly asked: number;
  readonly answered: number;
  /** The page's text: the name of the node that answered. Absent when nobody did. */
  readonly from?: string;
  /** Somebody said no, instead of saying nothing: it was sent to where no server runs. */
  readonly isRefused?: true;
}

/** An answer that takes longer than this counts as none; the next question does not wait for it. */
const usualPatienceMs = 250;

export function ask(url: string, patienceMs: number, tell: (answer: Answer) => void): void {
  const asked = Date.now();
  const request = get(url, { agent: false, timeout: patienceMs }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (part: string) => (text += part));
    response.on('end', () => tell({ asked, answered: Date.now(), from: text.trim() }));
  });
  request.on('timeout', () => request.destroy(new Error('no answer')));
  request.on('error', ({ code }: NodeJS.ErrnoException) =>
    tell({ asked, answered: Date.now(), ...(code === 'ECONNREFUSED' ? { isRefused: true } : {}) }),
  );
}

if (import.meta.main) {
  const [url = '', everyMs = '10'] = process.argv.slice(2);
  setInterval(
    () => ask(url, usualPatienceMs, (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`)),
    Number(everyMs),
  );
}
