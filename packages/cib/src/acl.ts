/** Access control: who may read or change which part of the CIB. Pure; who asks is found out by the daemon. */
export { type Asker, type Right, rolesOf } from './acl/rights.ts';
export { isAclEnabled, judge, type Refusal, refusalText, type Wish } from './acl/judge.ts';
export { readableCib } from './acl/view.ts';
