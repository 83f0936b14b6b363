// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { type Captured, decode, encode, u16be } from '@vouchsafe/codec';
import { TpmError } from './error.ts';
import { tpmDigest } from './hash.ts';
import { TPM_HASH, type TpmHash } from './structures/algorithm.ts';
import { type NvPublic, type TpmsNvPublic, tpmsNvPublic } from './structures/nv.ts';
import { type TpmtPublic, tpm2bPublic, tpmtPublic } from './structures/public.ts';

/** A public area and the exact octets of its TPMT_PUBLIC, which its name is made of. */
export type PublicArea = Captured<TpmtPublic>;

/**
 * A TPM2B_PUBLIC, as tpm2-tools writes it to files.
 * @throws {CodecError}
 */
export function decodePublic(bytes: Uint8Array): PublicArea {
  return decode(tpm2bPublic, bytes);
}

/** A public area that was not read from bytes. */
export function publicArea(value: TpmtPublic): PublicArea {
  return { value, bytes: encode(tpmtPublic, value) };
}

/** nameAlg, then a digest of that algorithm. */
function hashed(nameAlg: TpmHash, bytes: Uint8Array): Uint8Array {
  return concatBytes(encode(u16be, TPM_HASH[nameAlg]), tpmDigest(nameAlg, bytes));
}

/**
 * The name of an object: nameAlg || H(TPMT_PUBLIC). TPM 2.0 Library, Part 1, section 16 (Names).
 * @throws {TpmError} 'argument_invalid' for an object whose nameAlg is null, which has no name; 'algorithm_unsupported'.
 */
export function nameOf({ value, bytes }: PublicArea): Uint8Array {
  return hashed(requireNameAlg(value), bytes);
}

/**
 * The qualified name: nameAlg || H(qualified name of the parent || name). A primary object's parent is a hierarchy,
 * whose name is its handle in four octets, big-endian. TPM 2.0 Library, Part 1, section 16.
 * @throws as `nameOf`
 */
export function qualifiedNameOf(area: PublicArea, parentQualifiedName: Uint8Array): Uint8Array {
  return hashed(requireNameAlg(area.value), concatBytes(parentQualifiedName, nameOf(area)));
}

/**
 * The name of an NV index: nameAlg || H(TPMS_NV_PUBLIC). TPM 2.0 Library, Part 1, section 16.
 * @throws {TpmError} 'algorithm_unsupported'
 */
export function nvNameOf({ value, bytes }: NvPublic): Uint8Array {
  return hashed(value.nameAlg, bytes);
}

/** The public area of an NV index that was not read from bytes. */
export function nvPublicArea(value: TpmsNvPublic): NvPublic {
  return { value, bytes: encode(tpmsNvPublic, value) };
}

function requireNameAlg({ nameAlg }: TpmtPublic): TpmHash {
  if (nameAlg !== 'null') return nameAlg;
  throw new TpmError('argument_invalid', 'expected an object that has a name, found the name algorithm null');
}
