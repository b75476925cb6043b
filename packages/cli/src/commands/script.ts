/** `systole script`: recipes as text to review; applied when told so with `--force`. */
import { type Configuration, emptyConfiguration } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import { LanguageProblem } from '../language/problem.ts';
import { Session } from '../language/session.ts';
import { didYouMean } from '../language/suggest.ts';
import { fill, readParameters, type Recipe, recipes } from '../recipes/recipes.ts';
import { table } from '../render/table.ts';
import { commit, liveCib } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';

export function list(context: Context): void {
  context.answer(
    recipes.map(({ name, summary }) => ({ name, summary })),
    table(recipes.map(({ name, summary }) => [name, summary])),
  );
}

const recipeNamed = (name: string): Recipe => {
  const recipe = recipes.find((each) => each.name === name);
  if (recipe !== undefined) return recipe;
  const names = recipes.map((each) => each.name);
  throw new SystoleError('notFound', `there is no recipe "${name}"${didYouMean(name, names)}`);
};

export function show(context: Context, args: readonly string[]): void {
  const recipe = recipeNamed(args[0] ?? '');
  const rows = recipe.parameters.map(({ name, meaning, fallback, isOptional }) => [
    name,
    fallback === undefined ? (isOptional === true ? 'optional' : 'required') : `default ${fallback}`,
    meaning,
  ]);
  context.answer(
    recipe,
    `${recipe.name}: ${recipe.summary}\n\n${recipe.details}\n\nParameters:\n${table(rows, '  ')}\n\nText:\n${recipe.text}`,
  );
}

/** Fits the recipe into a configuration, or says why it does not. */
function fitted(base: Configuration, name: string, text: string): Configuration {
  const session = new Session(base, {
    readFile: (path) => {
      throw new LanguageProblem(`a recipe reads no files (${path})`);
    },
  });
  session.run(text, name);
  return session.draft.finish();
}

export async function verify(context: Context, args: readonly string[]): Promise<void> {
  const [name = '', ...words] = args;
  const recipe = recipeNamed(name);
  const text = fill(recipe, readParameters(recipe, words));
  fitted((await context.client.cib()).configuration, name, text);
  context.answer({ recipe: name, isOk: true }, `${name} fits into the configuration`);
}

export async function run(context: Context, args: readonly string[]): Promise<void> {
  const [name = '', ...words] = args;
  const recipe = recipeNamed(name);
  const text = fill(recipe, readParameters(recipe, words));
  if (!context.options.isForced && !context.options.isDryRun) {
    fitted(emptyConfiguration, name, text);
    context.answer({ recipe: name, text }, text);
    context.remark('nothing is changed yet: look at it, with --dry-run at what would happen; --force applies it');
    return;
  }
  const cib = await liveCib(context);
  const shown = words.map((word) => word.replace(/^(\w*passw\w*)=.*/i, '$1=***'));
  const after = { ...cib, configuration: fitted(cib.configuration, name, text) };
  await commit(context, ['script run', name, ...shown].join(' '), cib, after);
}
