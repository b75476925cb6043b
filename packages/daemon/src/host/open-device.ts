/** Opens the way to whichever quorum device is configured. */
import type { Random } from '@systole/kernel';
import { ArbiterLink, type ArbiterLinkOptions } from './arbiter-link.ts';
import type { DeviceLink, DeviceLinkEvents } from './device-link.ts';
import { DiskLink, type DiskLinkOptions } from './disk-link.ts';
import { HttpLink, type HttpLinkOptions } from './http-link.ts';

/** Plain data, handed to the thread. */
export type DeviceLinkOptions =
  | ({ readonly kind: 'arbiter' } & ArbiterLinkOptions)
  | ({ readonly kind: 'disk' } & DiskLinkOptions)
  | ({ readonly kind: 'http' } & HttpLinkOptions);

export function openDevice(
  options: DeviceLinkOptions,
  incarnation: number,
  random: Random,
  events: DeviceLinkEvents,
): DeviceLink {
  switch (options.kind) {
    case 'arbiter':
      return new ArbiterLink(options, incarnation, random, events);
    case 'disk':
      return new DiskLink(options, incarnation, events);
    case 'http':
      return new HttpLink(options, incarnation, events);
  }
}
