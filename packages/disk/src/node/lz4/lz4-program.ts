// SPDX-License-Identifier: Apache-2.0
// `compressLz4Cluster` for WebAssembly, step by step and octet by octet the same; it says why each step is. What differs:
// addresses stand for indexes, eight octets are compared and copied at once, and the block is filled up in its place.
import {
  HASH_BITS,
  HASH_FACTOR,
  LAST_LITERALS,
  LAST_RUN_BYTES,
  MATCH_START_LIMIT,
  MAX_DISTANCE,
  MIN_MATCH,
  SKIP_BITS,
  TOKEN_MAX,
} from '../../lz4/compress-cluster.ts';
import {
  assemble,
  block,
  type Code,
  call,
  choose,
  copy,
  fill,
  i32,
  i64,
  jump,
  jumpIf,
  type Label,
  loop,
  type Operand,
  set,
  smaller,
  type Variable,
  Variables,
  type WasmFunction,
  when,
} from './assemble.ts';

const BLOCK_BYTES = 4096;
const PUT_LENGTH = 1;

const { add, sub, shl, shr, and, or, lessThan: less, greaterThan: greater } = i32;
/** Copied eight octets at a time and not as a whole: up to seven too many, which what comes next replaces. */
const SHORT_RUN_BYTES = 64;

/** The slot's address; four octets each. */
const slotOf = (table: Operand, sequence: Operand): Code =>
  add(table, and(shr(i32.mul(sequence, HASH_FACTOR | 0), 32 - HASH_BITS - 2), ((1 << HASH_BITS) - 1) << 2));
/** Octets behind the token for a length of so much. */
const lengthOctetsOf = (length: Operand): Code =>
  choose(less(length, TOKEN_MAX), 0, add(i32.div(sub(length, TOKEN_MAX), 255), 1));
const increase = (variable: Variable, by: Operand): Code => set(variable, add(variable, by));
const decrease = (variable: Variable, by: Operand): Code => set(variable, sub(variable, by));

function compress(): WasmFunction {
  const v = new Variables();
  const [start, end, output, table] = [v.i32(), v.i32(), v.i32(), v.i32()];
  const [matchStartEnd, matchEnd, sequenceEnd, searchEnd] = [v.i32(), v.i32(), v.i32(), v.i32()];
  const [anchor, at, out, next, tries] = [v.i32(), v.i32(), v.i32(), v.i32(), v.i32()];
  const [sequence, slot, ref, matched, refMatched] = [v.i32(), v.i32(), v.i32(), v.i32(), v.i32()];
  const [literals, literalOctets, fixed, length] = [v.i32(), v.i32(), v.i32(), v.i32()];
  const [lengthOctets, copied, before, room] = [v.i32(), v.i32(), v.i32(), v.i32()];
  const difference = v.i64();

  /** Leaves `found` with `at` and `ref`, or `sequences` where there is no match. */
  const search = (found: Label, sequences: Label): Code[] => [
    set(searchEnd, smaller(add(anchor, sub(sequenceEnd, out)), matchStartEnd)),
    set(next, at),
    set(tries, 1 << SKIP_BITS),
    loop((again) => [
      jumpIf(greater(next, searchEnd), sequences),
      set(at, next),
      set(sequence, i32.load(at)),
      set(slot, slotOf(table, sequence)),
      set(ref, i32.load(slot)),
      i32.store(slot, at),
      set(next, add(at, shr(tries, SKIP_BITS))),
      increase(tries, 1),
      jumpIf(less(ref, start), again),
      jumpIf(i32.atLeast(ref, at), again),
      jumpIf(greater(sub(at, ref), MAX_DISTANCE), again),
      jumpIf(i32.ne(i32.load(ref), sequence), again),
      jump(found),
    ]),
  ];

  const extendBack = block((done) => [
    loop((further) => [
      jumpIf(i32.atMost(at, anchor), done),
      jumpIf(i32.atMost(ref, start), done),
      jumpIf(i32.ne(i32.load8(sub(at, 1)), i32.load8(sub(ref, 1))), done),
      decrease(at, 1),
      decrease(ref, 1),
      jump(further),
    ]),
  ]);

  const extendMatch = block((known) => [
    loop((words) => [
      when(i32.atMost(add(matched, 8), matchEnd), [
        set(difference, i64.xor(i64.load(matched), i64.load(refMatched))),
        when(i64.isZero(difference), [increase(matched, 8), increase(refMatched, 8), jump(words)]),
        increase(matched, shr(i32.of(i64.trailingZeros(difference)), 3)),
        jump(known),
      ]),
    ]),
    loop((octets) => [
      jumpIf(i32.atLeast(matched, matchEnd), known),
      jumpIf(i32.ne(i32.load8(matched), i32.load8(refMatched)), known),
      increase(matched, 1),
      increase(refMatched, 1),
      jump(octets),
    ]),
  ]);

  const copyLiterals = when(
    less(literals, SHORT_RUN_BYTES),
    [
      set(copied, 0),
      loop((more) => [
        i64.store(add(out, copied), i64.load(add(anchor, copied))),
        increase(copied, 8),
        jumpIf(less(copied, literals), more),
      ]),
    ],
    [copy(out, anchor, literals)],
  );

  const putSequence = [
    i32.store8(out, or(shl(smaller(literals, TOKEN_MAX), 4), smaller(length, TOKEN_MAX))),
    increase(out, 1),
    when(literalOctets, [set(out, call(PUT_LENGTH, out, sub(literals, TOKEN_MAX)))]),
    copyLiterals,
    increase(out, literals),
    i32.store16(out, sub(at, ref)),
    increase(out, 2),
    when(lengthOctets, [set(out, call(PUT_LENGTH, out, sub(length, TOKEN_MAX)))]),
  ];

  const takeSequence = (sequences: Label): Code[] => [
    set(matched, add(at, MIN_MATCH)),
    set(refMatched, add(ref, MIN_MATCH)),
    extendBack,
    set(literals, sub(at, anchor)),
    set(literalOctets, lengthOctetsOf(literals)),
    set(fixed, add(add(out, 3), add(literalOctets, literals))),
    jumpIf(greater(fixed, sequenceEnd), sequences),
    extendMatch,
    set(length, sub(sub(matched, at), MIN_MATCH)),
    set(lengthOctets, lengthOctetsOf(length)),
    when(greater(add(fixed, lengthOctets), sequenceEnd), [
      set(lengthOctets, sub(sequenceEnd, fixed)),
      set(length, add(TOKEN_MAX - 1, i32.mul(lengthOctets, 255))),
    ]),
    ...putSequence,
    set(at, add(add(at, MIN_MATCH), length)),
    set(anchor, at),
    jumpIf(greater(at, matchStartEnd), sequences),
    set(before, sub(at, 2)),
    i32.store(slotOf(table, i32.load(before)), before),
  ];

  const putLastRun = [
    set(room, sub(add(output, BLOCK_BYTES - 1), out)),
    when(i32.atLeast(room, TOKEN_MAX), [decrease(room, add(i32.div(sub(room, TOKEN_MAX), 256), 1))]),
    set(literals, smaller(sub(end, anchor), room)),
    i32.store8(out, shl(smaller(literals, TOKEN_MAX), 4)),
    increase(out, 1),
    when(i32.atLeast(literals, TOKEN_MAX), [set(out, call(PUT_LENGTH, out, sub(literals, TOKEN_MAX)))]),
    copy(out, anchor, literals),
    increase(out, literals),
  ];

  /** What was put at its start goes to its end. */
  const fillBlock = [
    set(length, sub(out, output)),
    copy(sub(add(output, BLOCK_BYTES), length), output, length),
    fill(output, 0, sub(BLOCK_BYTES, length)),
  ];

  const body = [
    set(matchStartEnd, sub(end, MATCH_START_LIMIT)),
    set(matchEnd, sub(end, LAST_LITERALS)),
    set(sequenceEnd, add(output, BLOCK_BYTES - LAST_RUN_BYTES)),
    set(anchor, start),
    set(at, start),
    set(out, output),
    block((sequences) => [
      loop((nextSequence) => [
        block((found) => search(found, sequences)),
        ...takeSequence(sequences),
        jump(nextSequence),
      ]),
    ]),
    ...putLastRun,
    ...fillBlock,
    add(sub(anchor, start), literals),
  ];
  return { name: 'compress', parameterCount: 4, locals: v.all.slice(4), body };
}

/** (at, rest) → behind what it put. */
function putLength(): WasmFunction {
  const v = new Variables();
  const [at, rest] = [v.i32(), v.i32()];
  const body = [
    block((done) => [
      loop((more) => [
        jumpIf(less(rest, 255), done),
        i32.store8(at, 255),
        increase(at, 1),
        decrease(rest, 255),
        jump(more),
      ]),
    ]),
    i32.store8(at, rest),
    add(at, 1),
  ];
  return { parameterCount: 2, locals: [], body };
}

/**
 * A module whose `compress(start, end, output, table)` answers how many octets from `start` on it has put into the block
 * at `output`, at its end, behind zeros. All are addresses in the memory that it imports; slots of the table begin as 0,
 * which is before any input.
 */
export function lz4Program(): Uint8Array<ArrayBuffer> {
  return assemble([compress(), putLength()]);
}
