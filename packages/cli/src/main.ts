import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { emptyCib, exportCib, importCib } from '@systole/cib';
import { formatProblem, LanguageProblem, LanguageProblems, printConfiguration, Session } from './language/index.ts';
import { runSimulate } from './commands/simulate.ts';
import { simulateHost } from './commands/simulate.host.ts';
const args = process.argv.slice(2);
const opt = (n: string): string | undefined => { const i = args.indexOf(n); return i === -1 ? undefined : args[i + 1]; };
const cibOf = (file: string | undefined) => { if (file === undefined) return emptyCib; const r = importCib(readFileSync(file, 'utf8')); if (!r.ok) throw new Error(r.error.message); return r.value.cib; };
// The exit status is set, not forced: a long answer may still be on its way through a pipe.
if (args[0] === 'simulate') process.exitCode = await runSimulate(args.slice(1), simulateHost());
else try {
  if (args[1] === 'show') process.stdout.write(printConfiguration(cibOf(opt('--from-xml')).configuration));
  else {
    const base = cibOf(opt('--base'));
    const file = opt('--file') ?? '';
    const session = new Session(base.configuration, {
      readFile: (p) => readFileSync(p, 'utf8'),
      runFilter: (program, text) => spawnSync('/bin/sh', ['-c', program], { input: text, encoding: 'utf8' }).stdout,
    });
    session.run(readFileSync(file, 'utf8'), file);
    const configuration = session.draft.finish();
    process.stdout.write(exportCib({ ...base, configuration }));
  }
} catch (e) {
  if (e instanceof LanguageProblem) console.error(formatProblem(e));
  else if (e instanceof LanguageProblems) for (const p of e.problems) console.error(formatProblem(p));
  else throw e;
  process.exit(1);
}
