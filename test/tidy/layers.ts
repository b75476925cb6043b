/** Who may import whom among the packages. `docs/architecture.md` shows it as a picture; `imports.test.ts` holds the source to it. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  cib: ['kernel'],
  messaging: ['kernel'],
  quorum: ['kernel'],
  ra: ['kernel'],
  pe: ['kernel', 'cib'],
  te: ['kernel', 'cib', 'pe'], // the graph is pe's public result
  lrm: ['kernel', 'cib', 'ra'],
  stonith: ['kernel', 'cib', 'ra'], // fence plugins describe themselves as agents do
  crm: ['kernel', 'cib', 'quorum', 'pe', 'te'],
  api: ['kernel', 'cib'],
  cli: ['kernel', 'cib', 'pe', 'te', 'ra', 'api'], // pe and te for "what if"
  daemon: ['kernel', 'cib', 'messaging', 'quorum', 'ra', 'pe', 'te', 'lrm', 'stonith', 'crm', 'api'],
  simulator: ['kernel', 'cib', 'messaging', 'quorum', 'ra', 'pe', 'te', 'lrm', 'stonith', 'crm', 'daemon'], // daemon/node
};

/** Packages, and folders of packages, that may use Node's modules. */
export const mayTouchNode: readonly string[] = [
  'packages/daemon/src/host/',
  'packages/daemon/src/http/',
  'packages/daemon/src/main.ts',
  'packages/daemon/src/arbiter.ts',
  'packages/daemon/src/fence-disk.ts',
  'packages/daemon/src/configuration.ts',
  'packages/cli/src/',
  'packages/simulator/src/main.ts',
];

/** Modules of Node that only calculate, and who may use them. */
export const mayCalculate: Readonly<Record<string, readonly string[]>> = {
  cib: ['node:crypto', 'node:zlib'],
  messaging: ['node:crypto', 'node:zlib'],
  quorum: ['node:zlib'],
};
