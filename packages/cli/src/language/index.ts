/** The language of `configure`: text to configuration, and back. */
export { Draft } from './draft.ts';
export { fromConfiguration, type Item, type ItemKind, kindWords, toConfiguration, wordOf } from './items.ts';
export { definitionWords } from './parse.ts';
export { printItems } from './print.ts';
export { formatProblem, LanguageProblem, LanguageProblems, type Place } from './problem.ts';
export { changedItems, selectItems } from './select.ts';
export { completeWord, editingWords, printConfiguration, Session, type SessionHost } from './session.ts';
export { didYouMean, nearest } from './suggest.ts';
export { isUnfinished, readText, type Statement, type Word } from './words.ts';
