/** All parts of one cluster member put together, without sockets, disks, processes or clocks: what the simulator runs. */
export * from './contract.ts';
export { createNode, ClusterNode } from './node.ts';
export { nodeIdOf, NodeIds } from './node-ids.ts';
