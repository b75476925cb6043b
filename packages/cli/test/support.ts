/** What the tests of the language share. */
import { type Configuration, emptyConfiguration } from '@systole/cib';
import { LanguageProblem, LanguageProblems, Session, type SessionHost } from '../src/language/index.ts';

export const noFiles: SessionHost = {
  readFile: (path) => {
    throw new LanguageProblem(`no file ${path}`);
  },
};

export const filesOf = (files: Readonly<Record<string, string>>): SessionHost => ({
  readFile: (path) => files[path] ?? noFiles.readFile(path),
});

/** The configuration that a script makes of `base`. */
export function configured(script: string, base: Configuration = emptyConfiguration, host = noFiles): Configuration {
  const session = new Session(base, host);
  session.run(script, 'test.crm');
  return session.draft.finish();
}

/** What is wrong with a script, each as `line:column message`. */
export function problemsOf(script: string, base: Configuration = emptyConfiguration): readonly string[] {
  try {
    configured(script, base);
    return [];
  } catch (error) {
    const problems = error instanceof LanguageProblems ? error.problems : [error as LanguageProblem];
    return problems.map(({ place, message }) => `${place?.line ?? '?'}:${place?.column ?? '?'} ${message}`);
  }
}
