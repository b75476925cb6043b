/** How the demo gets into namespaces of its own, and knows that it is there. */

/** For `unshare`: users without root become root of a user namespace; root needs none. */
export const namespaceFlags = (): readonly string[] => [
  ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']),
  '--net',
  '--mount',
  '--pid',
  '--uts',
  '--ipc',
  '--fork',
  '--kill-child',
  '--mount-proc',
];

export const isDemoInside = (): boolean => process.env['SYSTOLE_DEMO_INSIDE'] === '1';
