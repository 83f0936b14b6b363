// SPDX-License-Identifier: Apache-2.0
import type { Codec, Lookup } from './codec.ts';
import { U8, U16BE, U16LE, U32BE, U32LE, U64BE, U64LE } from './integers.ts';

/** One integer of a run. All have the same hidden class, in every structure: that is half of the speed. */
interface Member {
  readonly kind: number;
  /** Octets from the start of the run. */
  readonly offset: number;
  /** Index among the values of the structure. */
  readonly slot: number;
  readonly lookup: Lookup | undefined;
}

/**
 * Neighbouring fields that are integers or enumerations of them. They are read and written in one loop, with one bounds
 * check and no call for each.
 */
export interface Run {
  readonly members: readonly Member[];
  /** Octets. */
  readonly size: number;
}

/** The runs among the fields of a structure, each at the index of its first field. `slots` are indices of values. */
export function runsOf(codecs: readonly Codec<unknown>[], slots: readonly number[]): (Run | undefined)[] {
  const runs: (Run | undefined)[] = codecs.map(() => undefined);
  for (let i = 0; i < codecs.length; i++) {
    const members: Member[] = [];
    const first = i;
    let offset = 0;
    for (; codecs[i]?.integer !== undefined; i++) {
      const { integer, lookup, size } = codecs[i] as Codec<unknown>;
      members.push({ kind: integer as number, offset, slot: slots[i] as number, lookup });
      offset += size as number;
    }
    if (members.length > 0) runs[first] = { members, size: offset };
  }
  return runs;
}

/**
 * Reads a run whose bytes the caller has bounded. False when one value needs its own codec, which has the error or the
 * meaning of a value without a name; the caller then goes field by field.
 */
export function readRun(run: Run, view: DataView, at: number, values: unknown[]): boolean {
  const { members } = run;
  for (let i = 0; i < members.length; i++) {
    const member = members[i] as Member;
    let value: unknown = readInteger(view, at + member.offset, member.kind);
    if (member.lookup !== undefined) value = member.lookup.names.get(value as number);
    if (value === undefined) return false;
    values[member.slot] = value;
  }
  return true;
}

function readInteger(view: DataView, at: number, kind: number): number | bigint | undefined {
  switch (kind) {
    case U8:
      return view.getUint8(at);
    case U16BE:
      return view.getUint16(at);
    case U16LE:
      return view.getUint16(at, true);
    case U32BE:
      return view.getUint32(at);
    case U32LE:
      return view.getUint32(at, true);
    case U64BE:
      return view.getBigUint64(at);
    case U64LE:
      return view.getBigUint64(at, true);
    default:
      return undefined;
  }
}

/**
 * Writes a run into bytes the caller has reserved; false as for `readRun`, and the bytes are then not defined. The
 * switch stands inside the loop, with a check and a store for each kind: as a function of its own the compiler inlines
 * it in one process and not in the next, which doubles the time of an encoding.
 */
export function writeRun(run: Run, view: DataView, start: number, values: readonly unknown[]): boolean {
  const { members } = run;
  for (let i = 0; i < members.length; i++) {
    const member = members[i] as Member;
    const at = start + member.offset;
    let x = values[member.slot];
    if (member.lookup !== undefined) x = member.lookup.values.get(x);
    switch (member.kind) {
      case U8:
        if (typeof x !== 'number' || (x & 0xff) !== x) return false;
        view.setUint8(at, x);
        break;
      case U16BE:
        if (typeof x !== 'number' || (x & 0xffff) !== x) return false;
        view.setUint16(at, x);
        break;
      case U16LE:
        if (typeof x !== 'number' || (x & 0xffff) !== x) return false;
        view.setUint16(at, x, true);
        break;
      case U32BE:
        if (typeof x !== 'number' || x >>> 0 !== x) return false;
        view.setUint32(at, x);
        break;
      case U32LE:
        if (typeof x !== 'number' || x >>> 0 !== x) return false;
        view.setUint32(at, x, true);
        break;
      case U64BE:
        if (typeof x !== 'bigint' || BigInt.asUintN(64, x) !== x) return false;
        view.setBigUint64(at, x);
        break;
      case U64LE:
        if (typeof x !== 'bigint' || BigInt.asUintN(64, x) !== x) return false;
        view.setBigUint64(at, x, true);
        break;
      default:
        return false;
    }
  }
  return true;
}
