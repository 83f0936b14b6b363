// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { decodeVeritySigPartition, readHeader, rootHashOfTree, treeLayout, type VerityHeader } from '@vouchsafe/verity';
import type { ArtefactHead, VerityHashDescription, VeritySignatureDescription } from './description.ts';

const PLACE = { offset: 0, hasSuperblock: true } as const;

/** @throws {VerityError} @throws {BytesError} */
export function describeVerityHash(source: ByteSource, head: Omit<ArtefactHead, 'kind'>): VerityHashDescription {
  const header = readHeader(source, 0);
  const { uuid, hashType, algorithm, dataBlockSize, hashBlockSize, dataBlocks, salt } = header;
  const rootHash = topOf(source, header);
  return {
    ...head,
    kind: 'verity-hash',
    uuid,
    hashType,
    algorithm,
    dataBlockSize,
    hashBlockSize,
    dataBlocks,
    salt: toHex(salt),
    ...(rootHash === undefined ? {} : { rootHash }),
  };
}

/** Where there is no tree, the root hash is that of data which is not here. */
function topOf(source: ByteSource, parameters: VerityHeader): string | undefined {
  const layout = treeLayout(parameters, PLACE);
  if (layout.levels.length === 0 || source.size < layout.end) return undefined;
  return toHex(rootHashOfTree({ data: source, hash: source, parameters, place: PLACE }));
}

/** @throws {VerityError} 'signature_malformed'. */
export function describeVeritySignature(
  bytes: Uint8Array,
  head: Omit<ArtefactHead, 'kind'>,
): VeritySignatureDescription {
  const { rootHash, certificateFingerprint, signature } = decodeVeritySigPartition(bytes);
  return {
    ...head,
    kind: 'verity-signature',
    rootHash: toHex(rootHash),
    certificateFingerprint: certificateFingerprint && toHex(certificateFingerprint),
    signatureBytes: signature.length,
  };
}
