/** A view as the controller keeps it: who is in it, and how far its members are with agreeing on one CIB. */
import type { Instant } from '@systole/kernel';
import type { ViewMember } from './contract.ts';
import type { Hello } from './messages.ts';

export interface View {
  readonly number: number;
  readonly members: readonly ViewMember[];
  isActive: boolean;
  /** All members have the same CIB since then. */
  agreedAt?: Instant;
  /** What each member has said of its CIB, by name. */
  readonly hellos: Map<string, Hello>;
}

/** The members that have said hello, in order of rank. */
export function candidates(view: View): readonly (Hello & { readonly name: string })[] {
  return view.members.flatMap(({ name }) => {
    const hello = view.hellos.get(name);
    return hello === undefined ? [] : [{ ...hello, name }];
  });
}
