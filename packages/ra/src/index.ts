/** Resource agents and fence agents: their names, how each class is called, what their exit codes mean, how they describe themselves. Pure. */
export * from './agent-name.ts';
export * from './command.ts';
export * from './compliance.ts';
export * from './environment.ts';
export * from './exit-code.ts';
export * from './lsb-info.ts';
export * from './metadata.ts';
export * from './places.ts';
export * from './result.ts';
