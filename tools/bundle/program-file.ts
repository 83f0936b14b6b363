// SPDX-License-Identifier: Apache-2.0
// The file in which a program of the command lies ready: what it was made of, its source, and V8's code for it. One
// file, so that the three always belong together: V8 holds code against its source by the length alone.

/** A file that went into the program, and what a change of it changes. */
export type Input = readonly [path: string, size: number, mtimeMs: number, ctimeMs: number];

export interface ProgramFile {
  /** Paths are relative to the root of the checkout. */
  readonly inputs: readonly Input[];
  /** The body of a function of require, module, exports, __filename and __dirname, in ASCII. */
  readonly source: string;
  /** What V8 made of it, as `vm.Script` takes it. */
  readonly code: Uint8Array;
}

/** V8 copies code that does not begin where a word does. */
const CODE_ALIGNMENT = 8;
const LF = 0x0a;

/** A line of JSON, the source, zero octets up to a word, the code. */
export function encodeProgramFile({ inputs, source, code }: ProgramFile): Uint8Array {
  const head = Buffer.from(`${JSON.stringify([inputs, source.length])}\n`);
  const codeAt = codeOffset(head.length, source.length);
  const bytes = Buffer.alloc(codeAt + code.length);
  bytes.set(head);
  bytes.write(source, head.length, 'latin1');
  bytes.set(code, codeAt);
  return bytes;
}

export function decodeProgramFile(bytes: Buffer): ProgramFile {
  const sourceAt = bytes.indexOf(LF) + 1;
  const [inputs, length]: [Input[], number] = JSON.parse(bytes.toString('latin1', 0, sourceAt));
  const source = bytes.toString('latin1', sourceAt, sourceAt + length);
  return { inputs, source, code: bytes.subarray(codeOffset(sourceAt, length)) };
}

function codeOffset(sourceAt: number, length: number): number {
  return Math.ceil((sourceAt + length) / CODE_ALIGNMENT) * CODE_ALIGNMENT;
}
