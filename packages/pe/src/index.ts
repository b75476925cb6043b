/** The policy engine: (CIB, instant) → transition and explanation, a pure function. */
export * from './transition.ts';
