/**
 * `systole`, also called `crm`: the operator's shell. One command, a script, or an interactive shell; the words are in
 * `tree.ts`. Exit statuses are in `shell/failure.ts`.
 */
import process from 'node:process';
import { Context, findSocket } from './shell/context.ts';
import { describeFailure, exitStatus } from './shell/failure.ts';
import { type GlobalOptions, readOptions } from './shell/options.ts';
import { runWords } from './shell/run.ts';
import { isYes, readSettings } from './shell/settings.ts';
import { terminal } from './shell/terminal.ts';

async function main(args: readonly string[]): Promise<number> {
  // It has options of its own, some with the same names.
  if (args[0] === 'simulate') {
    const { options } = readOptions([]);
    return await runWords(new Context(options, terminal, await findSocket(options)), args);
  }
  const { format, wait } = readSettings();
  const { options, words } = readOptions(args, { format: format === 'json' ? 'json' : 'text', waits: isYes(wait) });
  if (options.wantsVersion) {
    terminal.out('systole 0.1.0\n');
    return exitStatus.done;
  }
  const context = new Context(options, terminal, await findSocket(options));
  if (words.length > 0 || options.wantsHelp) return await runWords(context, words);
  if (options.file === undefined && terminal.isInteractive) {
    const { interact } = await import('./prompt.ts');
    return await interact(context);
  }
  const { runScript } = await import('./shell/script.ts');
  return await runScript(context, options.file ?? '-');
}

/** For people on standard error; for programs as one JSON object there. */
function report(error: unknown, format: GlobalOptions['format']): number {
  const failure = describeFailure(error);
  if (failure === undefined) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    terminal.error(`systole: this is a mistake in systole itself, please report it\n${text}\n`);
    return exitStatus.failed;
  }
  const { status, code, message, details = {}, text } = failure;
  terminal.error(format === 'json' ? `${JSON.stringify({ error: { code, message, details } })}\n` : `${text}\n`);
  return status;
}

const isJson = (args: readonly string[]): boolean =>
  args.includes('--json') || args.includes('--format=json') || args[args.indexOf('--format') + 1] === 'json';

const args = process.argv.slice(2);
try {
  process.exitCode = await main(args);
} catch (error) {
  process.exitCode = report(error, isJson(args) ? 'json' : 'text');
}
