/** Whole clusters in one process under a seed: the code that ships on a virtual network, clock, disk and services. */
export * from './failure.ts';
export * from './laws/law.ts';
export * from './plan.ts';
export * from './planning.ts';
export * from './run.ts';
export * from './shrink.ts';
export * from './subject.ts';
export * from './transcript.ts';
export type { MakeNode, SimNode } from './life.ts';
