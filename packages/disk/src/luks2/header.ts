// SPDX-License-Identifier: Apache-2.0
import { asciiCell, bytes, constant, type Infer, struct, u16be, u64be, zeros } from '@vouchsafe/codec';

/** Octets of the binary header, the JSON area not included. */
export const LUKS2_BINARY_BYTES = 4096;
/** Where the checksum stands in the binary header. It is computed with zeros in its place. */
export const LUKS2_CHECKSUM_OFFSET = 448;
export const LUKS2_CHECKSUM_BYTES = 64;

/**
 * Binary header, big-endian. LUKS2 On-Disk Format Specification 1.1, section 2.1. Which of the two copies it is stands
 * in the magic number.
 */
export const luks2Header = struct('luks2_hdr_disk', {
  magic: [bytes(6), "'LUKS' or 'SKUL', 0xba, 0xbe: the first or the second copy"],
  version: [constant(u16be, 2), 'of the format'],
  hdrSize: [u64be, 'octets of the binary header and the JSON area'],
  seqid: [u64be, 'grows with every change; the copy with the higher one is the newer'],
  label: [bytes(48), 'text chosen by the owner, ends with a zero'],
  csumAlg: [asciiCell(32), 'digest of the checksum'],
  salt: [bytes(64), 'random, new with every change'],
  uuid: [asciiCell(40), 'of the volume'],
  subsystem: [bytes(48), 'second label'],
  hdrOffset: [u64be, 'octets from the start of the device to this copy'],
  padding: zeros(184),
  csum: [bytes(LUKS2_CHECKSUM_BYTES), 'over this copy and its JSON area, with zeros here'],
  padding4096: zeros(7 * 512),
});
export type Luks2BinaryHeader = Infer<typeof luks2Header>;
