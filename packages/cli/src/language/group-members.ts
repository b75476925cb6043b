/** `modgroup`: members of a group. */
import type { ItemStore } from './item-store.ts';
import { kindWords } from './items.ts';
import { LanguageProblem, type Place } from './problem.ts';
import { takeOut } from './removal.ts';
import { didYouMean } from './suggest.ts';

export type GroupChange =
  | { readonly type: 'remove'; readonly member: string }
  | { readonly type: 'before' | 'after'; readonly member: string; readonly beside?: string };

/** Where the words of the command stand. */
export interface ChangePlaces {
  readonly group?: Place | undefined;
  readonly member?: Place | undefined;
  readonly beside?: Place | undefined;
}

/** Puts a primitive into a group (before or behind another), or takes it out. */
export function changeGroup(store: ItemStore, groupId: string, change: GroupChange, places: ChangePlaces = {}): void {
  const group = store.find(groupId);
  if (group === undefined) {
    const groups = store.items.flatMap((item) => (item.kind === 'group' ? [item.id] : []));
    throw new LanguageProblem(`there is no group "${groupId}"${didYouMean(groupId, groups)}`, {
      place: places.group,
      code: 'notFound',
    });
  }
  if (group.kind !== 'group')
    throw new LanguageProblem(`${groupId} is a ${kindWords[group.kind]}, not a group`, { place: places.group });
  const { members } = group.value;
  const { member } = change;
  const needMember = (id: string, place: Place | undefined): void => {
    if (members.includes(id)) return;
    throw new LanguageProblem(`${id} is not in the group ${groupId}${didYouMean(id, members)}`, {
      place,
      code: 'notFound',
    });
  };
  if (change.type === 'remove') {
    needMember(member, places.member);
    if (members.length === 1) {
      throw new LanguageProblem(`${member} is the only member of ${groupId}; delete the group instead`, {
        place: places.member,
        code: 'refused',
      });
    }
    takeOut(store, group, member);
    return;
  }
  const item = store.need(member, places.member);
  if (item.kind !== 'primitive')
    throw new LanguageProblem(`a group holds primitives; ${member} is a ${kindWords[item.kind]}`, {
      place: places.member,
    });
  const container = store.containerOf(member);
  if (container !== undefined) {
    throw new LanguageProblem(`${member} is in the ${kindWords[container.kind]} ${container.id} already`, {
      place: places.member,
      code: 'refused',
    });
  }
  if (change.beside !== undefined) needMember(change.beside, places.beside);
  const at =
    change.beside === undefined ? members.length : members.indexOf(change.beside) + (change.type === 'after' ? 1 : 0);
  store.put({ ...group, value: { ...group.value, members: members.toSpliced(at, 0, member) } });
}
