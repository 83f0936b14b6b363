// SPDX-License-Identifier: Apache-2.0
export { bytes, cellOf, rest, zeros } from './bytes.ts';
export { type Attempt, attempt, type Captured, withBytes } from './capture.ts';
export { enumOf, openEnumOf } from './choice.ts';
export { type Codec, decode, decodeAt, encode, type FieldDoc, type Infer, type Scope } from './codec.ts';
export { describe } from './describe.ts';
export { CodecError, type CodecErrorCode } from './error.ts';
export { type Flags, flags, type OpenFlags, openFlags } from './flags.ts';
export { guid, isUuidText, uuid } from './identifiers.ts';
export { u8, u16be, u16le, u32be, u32le, u64be, u64le } from './integers.ts';
export { Reader } from './reader.ts';
export { checked, constant, mapped } from './refine.ts';
export { list, listOf, listToEnd } from './repeat.ts';
export { type Select, select } from './select.ts';
export { type StructCodec, struct } from './struct.ts';
export type { Field, Struct } from './struct-type.ts';
export { asciiCell, utf16le, utf16leCell, utf16leNul } from './text.ts';
export { aligned, optional, sized, sizedOf } from './window.ts';
export { Writer } from './writer.ts';
