/** The transition engine: carries a transition graph out, one ready action after the other, and stops when told. */
export * from './engine.ts';
export * from './messages.ts';
