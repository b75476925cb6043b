/** The `options` level, and recipes. */
import { valuesOf } from '../shell/settings.ts';
import { any, type Argument, type Command, type Level, one, optional } from './entry.ts';

const otherCommands = () => import('../commands/other.ts');
const scriptCommands = () => import('../commands/script.ts');

const meanings = {
  editor: 'the editor of configure edit; without one, $VISUAL or $EDITOR',
  pager: 'what shows long answers on a terminal; without one, $PAGER or less; cat for none',
  output: 'colours: auto, color, plain',
  wait: 'wait after each change until the cluster is idle: yes, no',
  format: 'how to answer: text, json',
} as const;

export const optionsLevel: Level = {
  word: 'options',
  summary: 'settings of this shell',
  children: [
    {
      word: 'show',
      summary: 'settings and their values',
      arguments: [optional('NAME', 'text')],
      run: async (context, args) => (await otherCommands()).showSettings(context, args),
    },
    {
      word: 'set',
      summary: 'change a setting',
      arguments: [one('NAME', ['editor', 'pager', 'output', 'wait', 'format']), one('VALUE', 'text')],
      run: async (context, args) => (await otherCommands()).changeSetting(context, args),
    },
    ...(['editor', 'pager', 'output', 'wait', 'format'] as const).map((word): Command => ({
      word,
      summary: `show or set: ${meanings[word]}`,
      arguments: [optional('VALUE', valuesOf(word) ?? 'text')],
      run: async (context, args) => {
        const { changeSetting, showSettings } = await otherCommands();
        if (args.length === 0) showSettings(context, [word]);
        else changeSetting(context, [word, ...args]);
      },
    })),
    {
      word: 'save',
      summary: 'keep the settings',
      arguments: [],
      run: async (context) => (await otherCommands()).saveSettings(context),
    },
    {
      word: 'reset',
      summary: 'back to the defaults',
      arguments: [],
      run: async (context) => (await otherCommands()).resetSettings(context),
    },
  ],
};

const recipe = (kind: readonly string[]): Argument => one('RECIPE', kind);
const recipeNames = ['vip', 'web-server', 'database', 'lvs', 'fence-ipmi'];

export const scripts: Level = {
  word: 'script',
  aliases: ['template'],
  summary: 'recipes: an address, a web server, a database, load balancers, fencing',
  alone: async (context) => (await scriptCommands()).list(context),
  children: [
    {
      word: 'list',
      summary: 'all recipes',
      arguments: [],
      run: async (context) => (await scriptCommands()).list(context),
    },
    {
      word: 'show',
      aliases: ['json'],
      summary: 'what a recipe makes, and its parameters',
      arguments: [recipe(recipeNames)],
      run: async (context, args) => (await scriptCommands()).show(context, args),
    },
    {
      word: 'verify',
      summary: 'whether a recipe fits into the configuration',
      arguments: [recipe(recipeNames), any('NAME=VALUE', 'text')],
      run: async (context, args) => (await scriptCommands()).verify(context, args),
    },
    {
      word: 'run',
      aliases: ['apply'],
      summary: 'the text of a recipe, to review; --force applies it, --dry-run shows what would happen',
      arguments: [recipe(recipeNames), any('NAME=VALUE', 'text')],
      run: async (context, args) => (await scriptCommands()).run(context, args),
    },
  ],
};
