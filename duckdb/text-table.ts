/** Counts the texts of a batch by their bytes, because making a string of each would take longer than all the rest. */
import { randomInt } from 'node:crypto';

/** Different texts, each in a group. A text is known by its number, from 0 in the order in which they came. */
export interface TextTable {
  /** The number of the bytes of `text` from `from` up to `to`, changed by `letters`, in a group. `hash` is that of the changed bytes. */
  find(group: number, text: Uint8Array, from: number, to: number, hash: number, letters: Uint8Array): number;
  readonly size: number;
  group(number: number): number;
  /** The bytes of a text, valid until the next text is added. */
  bytes(number: number): Buffer;
}

/** How many events have a text, how many of these are writes, and the first and the last of their times, which compare as numbers. */
export interface Tally {
  readonly events: number;
  readonly writes: number;
  readonly first: number;
  readonly last: number;
}

/** Tallies of texts in groups. */
export interface TallyTable {
  /** Adds to a tally, unless what `record` counts was added to it already. Records come in order. */
  count(group: number, text: number, record: number, added: Tally): void;
  readonly size: number;
  group(number: number): number;
  text(number: number): number;
  tally(number: number): Tally;
}

/** The hash of no bytes, and that of some more (FNV-1a). It begins at random, so that nobody can write texts that have the same. */
export const NO_HASH: number = randomInt(2 ** 32);
export const hashOf = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193);

const FIRST_ITEMS = 4096;
const FIRST_BYTES = 64 * 1024;
/** Slots for each item, so that one that is not there is soon known. */
const SLOTS_PER_ITEM = 2;
/** Numbers for each item of a table. They are next to each other, because that is where a processor finds them fastest; the first is the hash. */
const ITEM = 8;

const mix = (hash: number, group: number): number => {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) ^ Math.imul(group + 1, 0x9e3779b1);
  return mixed ^ (mixed >>> 13);
};

/** Items by their hash, with open addressing: 0 for none, else one more than the number of the item. */
function slotsOf(items: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const slots = new Int32Array((items.length / ITEM) * SLOTS_PER_ITEM);
  const mask = slots.length - 1;
  for (let number = 0; number < size; number += 1) {
    let slot = (items[number * ITEM] as number) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = number + 1;
  }
  return slots;
}

function twiceAsLong(items: Int32Array): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(items.length * 2);
  longer.set(items);
  return longer;
}

export function openTextTable(): TextTable {
  /** Of each text its hash, group, start and length. */
  const [HASH, GROUP, START, LENGTH] = [0, 1, 2, 3] as const;
  let items = new Int32Array(FIRST_ITEMS * ITEM);
  let slots = slotsOf(items, 0);
  let held = Buffer.allocUnsafe(FIRST_BYTES);
  let filled = 0;
  let size = 0;

  return {
    find(group, text, from, to, hash, letters) {
      const mixed = mix(hash, group);
      const [itemsNow, slotsNow, heldNow] = [items, slots, held];
      const mask = slotsNow.length - 1;
      const length = to - from;
      let slot = mixed & mask;
      for (let number = (slotsNow[slot] as number) - 1; number >= 0; number = (slotsNow[slot] as number) - 1) {
        const item = number * ITEM;
        if (itemsNow[item + HASH] === mixed && itemsNow[item + GROUP] === group && itemsNow[item + LENGTH] === length) {
          const start = itemsNow[item + START] as number;
          let i = 0;
          while (i < length && heldNow[start + i] === letters[text[from + i] as number]) i += 1;
          if (i === length) return number;
        }
        slot = (slot + 1) & mask;
      }
      slotsNow[slot] = size + 1;
      itemsNow[size * ITEM + HASH] = mixed;
      itemsNow[size * ITEM + GROUP] = group;
      itemsNow[size * ITEM + START] = filled;
      itemsNow[size * ITEM + LENGTH] = length;
      if (filled + length > held.length) held = Buffer.concat([held], Math.max(held.length * 2, filled + length));
      for (let i = 0; i < length; i += 1) held[filled + i] = letters[text[from + i] as number] as number;
      filled += length;
      size += 1;
      if (size * ITEM === items.length) {
        items = twiceAsLong(items);
        slots = slotsOf(items, size);
      }
      return size - 1;
    },
    get size() {
      return size;
    },
    group: (number) => items[number * ITEM + GROUP] as number,
    bytes: (number) => {
      const start = items[number * ITEM + START] as number;
      return held.subarray(start, start + (items[number * ITEM + LENGTH] as number));
    },
  };
}

export function openTallyTable(): TallyTable {
  /** Of each text in a group its hash, the two, the record that was counted last, and the tally. */
  const [GROUP, TEXT, RECORD, EVENTS, WRITES, FIRST, LAST] = [1, 2, 3, 4, 5, 6, 7] as const;
  let items = new Int32Array(FIRST_ITEMS * ITEM);
  let slots = slotsOf(items, 0);
  let size = 0;

  return {
    count(group, text, record, added) {
      const mixed = mix(text, group);
      const [itemsNow, slotsNow] = [items, slots];
      const mask = slotsNow.length - 1;
      let slot = mixed & mask;
      for (let number = (slotsNow[slot] as number) - 1; number >= 0; number = (slotsNow[slot] as number) - 1) {
        const item = number * ITEM;
        if (itemsNow[item + TEXT] === text && itemsNow[item + GROUP] === group) {
          if (itemsNow[item + RECORD] === record) return;
          itemsNow[item + RECORD] = record;
          (itemsNow[item + EVENTS] as number) += added.events;
          (itemsNow[item + WRITES] as number) += added.writes;
          if (added.first < (itemsNow[item + FIRST] as number)) itemsNow[item + FIRST] = added.first;
          if (added.last > (itemsNow[item + LAST] as number)) itemsNow[item + LAST] = added.last;
          return;
        }
        slot = (slot + 1) & mask;
      }
      slotsNow[slot] = size + 1;
      itemsNow.set([mixed, group, text, record, added.events, added.writes, added.first, added.last], size * ITEM);
      size += 1;
      if (size * ITEM === items.length) {
        items = twiceAsLong(items);
        slots = slotsOf(items, size);
      }
    },
    get size() {
      return size;
    },
    group: (number) => items[number * ITEM + GROUP] as number,
    text: (number) => items[number * ITEM + TEXT] as number,
    tally: (number) => ({
      events: items[number * ITEM + EVENTS] as number,
      writes: items[number * ITEM + WRITES] as number,
      first: items[number * ITEM + FIRST] as number,
      last: items[number * ITEM + LAST] as number,
    }),
  };
}
