/** What every package shares: brands, results, invariants, machines as pure steps, ports, order. Depends on nothing of ours. */
export * from './brand.ts';
export * from './duration.ts';
export * from './errors.ts';
export * from './filling.ts';
export * from './invariant.ts';
export * from './machine.ts';
export * from './ordering.ts';
export * from './ports.ts';
export * from './random.ts';
export * from './result.ts';
