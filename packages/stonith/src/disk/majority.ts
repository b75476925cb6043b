/**
 * How many of a node's disks must do their part. A message must stand on a majority; a watcher with one or two disks is
 * content with one that it can read, with three it needs two. Whatever a message was written to and whatever its reader
 * sees have a disk in common. As sbd has it.
 */

export const disksMax = 3;

export const neededToWrite = (disks: number): number => Math.floor(disks / 2) + 1;

export const neededToRead = (disks: number): number => (disks <= 2 ? 1 : neededToWrite(disks));
