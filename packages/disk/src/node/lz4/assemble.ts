// SPDX-License-Identifier: Apache-2.0
// As much of WebAssembly's binary format as one program needs: functions of 32-bit integers over a memory that is given.
// WebAssembly Core Specification 2.0, chapter 5.

/** Puts an instruction with its operands behind others. A jump counts the blocks that it is inside of, which is `depth`. */
export type Code = (octets: number[], depth: number) => void;

/** A parameter or local of a function. */
export interface Variable {
  readonly index: number;
  readonly type: ValueType;
}

/** A number stands for a constant of 32 bits, a variable for its value. */
export type Operand = Code | Variable | number;

/** Where a jump goes: behind a block, or to the start of a loop. */
export interface Label {
  depth: number;
}

export interface WasmFunction {
  /** Exported under it. */
  readonly name?: string;
  /** All of them 32-bit integers, as is the result. */
  readonly parameterCount: number;
  readonly locals: readonly Variable[];
  readonly body: readonly Code[];
}

type ValueType = 'i32' | 'i64';
const TYPE_CODES = { i32: 0x7f, i64: 0x7e } as const;
const NO_RESULT = 0x40;
const END = 0x0b;

/** Variables of one function, the parameters first. */
export class Variables {
  readonly all: Variable[] = [];

  i32(): Variable {
    return this.#add('i32');
  }

  i64(): Variable {
    return this.#add('i64');
  }

  #add(type: ValueType): Variable {
    const variable = { index: this.all.length, type };
    this.all.push(variable);
    return variable;
  }
}

function codeOf(operand: Operand): Code {
  if (typeof operand === 'function') return operand;
  const octets = typeof operand === 'number' ? [0x41, ...signed(operand)] : [0x20, ...unsigned(operand.index)];
  return (out) => out.push(...octets);
}

/** The operands one after the other, then what is done with them. */
function instruction(opcode: readonly number[], operands: readonly Operand[]): Code {
  const codes = operands.map(codeOf);
  return (octets, depth) => {
    for (const code of codes) code(octets, depth);
    octets.push(...opcode);
  };
}

const unary =
  (opcode: number) =>
  (a: Operand): Code =>
    instruction([opcode], [a]);
const binary =
  (opcode: number) =>
  (a: Operand, b: Operand): Code =>
    instruction([opcode], [a, b]);
/** Nothing is said of the alignment of an address, and no offset added to it. */
const load =
  (opcode: number) =>
  (address: Operand): Code =>
    instruction([opcode, 0, 0], [address]);
const store =
  (opcode: number) =>
  (address: Operand, value: Operand): Code =>
    instruction([opcode, 0, 0], [address, value]);

export const i32 = {
  ne: binary(0x47),
  lessThan: binary(0x48),
  greaterThan: binary(0x4a),
  atMost: binary(0x4c),
  atLeast: binary(0x4e),
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  div: binary(0x6e),
  and: binary(0x71),
  or: binary(0x72),
  shl: binary(0x74),
  /** Without regard to the sign. */
  shr: binary(0x76),
  load: load(0x28),
  load8: load(0x2d),
  store: store(0x36),
  store8: store(0x3a),
  store16: store(0x3b),
  /** The lower half of 64 bits. */
  of: unary(0xa7),
};

export const i64 = {
  isZero: unary(0x50),
  trailingZeros: unary(0x7a),
  xor: binary(0x85),
  load: load(0x29),
  store: store(0x37),
};

/** `a` where the condition is not zero. */
export const choose = (condition: Operand, a: Operand, b: Operand): Code => instruction([0x1b], [a, b, condition]);
export const smaller = (a: Operand, b: Operand): Code => choose(i32.lessThan(a, b), a, b);

export const set = (variable: Variable, value: Operand): Code =>
  instruction([0x21, ...unsigned(variable.index)], [value]);
export const call = (functionIndex: number, ...values: Operand[]): Code =>
  instruction([0x10, ...unsigned(functionIndex)], values);
export const copy = (to: Operand, from: Operand, length: Operand): Code =>
  instruction([0xfc, 0x0a, 0, 0], [to, from, length]);
export const fill = (at: Operand, octet: Operand, length: Operand): Code =>
  instruction([0xfc, 0x0b, 0], [at, octet, length]);

function structured(opcode: number, body: (label: Label) => readonly Code[]): Code {
  const label = { depth: 0 };
  const codes = body(label);
  return (octets, depth) => {
    label.depth = depth;
    octets.push(opcode, NO_RESULT);
    for (const code of codes) code(octets, depth + 1);
    octets.push(END);
  };
}

/** A jump to its label leaves it. */
export const block = (body: (leave: Label) => readonly Code[]): Code => structured(0x02, body);
/** A jump to its label begins it again; its end is its end. */
export const loop = (body: (again: Label) => readonly Code[]): Code => structured(0x03, body);

export function when(condition: Operand, then: readonly Code[], otherwise: readonly Code[] = []): Code {
  return (octets, depth) => {
    codeOf(condition)(octets, depth);
    octets.push(0x04, NO_RESULT);
    for (const code of then) code(octets, depth + 1);
    octets.push(0x05);
    for (const code of otherwise) code(octets, depth + 1);
    octets.push(END);
  };
}

export const jump =
  (label: Label): Code =>
  (octets, depth) =>
    octets.push(0x0c, ...unsigned(depth - label.depth - 1));
export const jumpIf = (condition: Operand, label: Label): Code => {
  const code = codeOf(condition);
  return (octets, depth) => {
    code(octets, depth);
    octets.push(0x0d, ...unsigned(depth - label.depth - 1));
  };
};

/** A module that imports `env.memory` and exports the functions that have names. */
export function assemble(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameterCount }) => [
    0x60,
    ...vector(Array.from({ length: parameterCount }, () => [TYPE_CODES.i32])),
    ...vector([[TYPE_CODES.i32]]),
  ]);
  const exports = functions.flatMap(({ name }, i) =>
    name === undefined ? [] : [[...text(name), 0x00, ...unsigned(i)]],
  );
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, types),
    // A memory of one page or more.
    ...section(2, [[...text('env'), ...text('memory'), 0x02, 0x00, 0x01]]),
    ...section(
      3,
      functions.map((_, i) => unsigned(i)),
    ),
    ...section(7, exports),
    ...section(10, functions.map(encodeBody)),
  ]);
}

function encodeBody({ locals, body }: WasmFunction): number[] {
  const declared = vector(locals.map(({ type }) => [0x01, TYPE_CODES[type]]));
  const octets = [...declared];
  for (const code of body) code(octets, 0);
  octets.push(END);
  return [...unsigned(octets.length), ...octets];
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const octets = vector(items);
  return [id, ...unsigned(octets.length), ...octets];
}

const vector = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()];
const text = (name: string): number[] => vector(Array.from(name, (character) => [character.charCodeAt(0)]));

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** LEB128 of 32 bits. */
function signed(value: number): number[] {
  const low = value & 0x7f;
  const rest = (value | 0) >> 7;
  const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
  return isLast ? [low] : [low | 0x80, ...signed(rest)];
}
