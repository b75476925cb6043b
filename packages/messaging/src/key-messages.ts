/** What members say to each other about keys, in the agreed order. Plain JSON; a key in it is sealed (`key-wrap.ts`). */
import type { RingReport, Rotation } from './key-ring.ts';

export type KeyMessage =
  /** Accept this key as well. Told again where a member has missed it, or with other nodes left out. */
  | {
      readonly type: 'add';
      readonly rotation: Rotation;
      /** Id of the key under which the new one is sealed. */
      readonly under: number;
      /** Hexadecimal. */
      readonly sealed: string;
    }
  /** All have it: seal with it, or forget the others. */
  | { readonly type: 'advance'; readonly rotation: Rotation; readonly stage: 'primary' | 'remove' }
  /** What this member has on disk. */
  | { readonly type: 'ring'; readonly ring: RingReport };

/** A cluster has at most 32 nodes, and no ring more keys than that. */
const listMax = 32;

/** The message, if it is one. Bodies come from members, which may be newer or mistaken. */
export function readKeyMessage(message: unknown): KeyMessage | undefined {
  if (!isRecord(message)) return undefined;
  switch (message['type']) {
    case 'add':
      return isRotation(message['rotation']) && isId(message['under']) && isHex(message['sealed'], 128)
        ? (message as unknown as KeyMessage)
        : undefined;
    case 'advance':
      return isRotation(message['rotation']) && (message['stage'] === 'primary' || message['stage'] === 'remove')
        ? (message as unknown as KeyMessage)
        : undefined;
    case 'ring':
      return isRing(message['ring']) ? (message as unknown as KeyMessage) : undefined;
    default:
      return undefined;
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isId = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 65_536;

const isHex = (value: unknown, digits: number): boolean =>
  typeof value === 'string' && value.length === digits && /^[0-9a-f]*$/.test(value);

const isList = (value: unknown, isElement: (element: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length <= listMax && value.every(isElement);

const isRotation = (value: unknown): boolean =>
  isRecord(value) &&
  isId(value['to']) &&
  isHex(value['print'], 8) &&
  Number.isSafeInteger(value['number']) &&
  isList(value['without'], (node) => typeof node === 'string' && node.length <= 64);

const isRing = (value: unknown): boolean =>
  isRecord(value) &&
  isId(value['primary']) &&
  isList(value['keys'], (key) => isRecord(key) && isId(key['id']) && isHex(key['print'], 8)) &&
  (value['rotation'] === undefined || isRotation(value['rotation']));
