/** May this partition act? Votes against a named, remembered base of voters, ties, leases, and the third site's vote. */
export * from './base.ts';
export * from './decide.ts';
export * from './options.ts';
