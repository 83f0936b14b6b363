// SPDX-License-Identifier: Apache-2.0
import type { Extent } from '@vouchsafe/bytes';
import { type IncrementalDigest, startDigest } from '@vouchsafe/crypto';
import { alignUp } from '../align.ts';
import { CERTIFICATE_TABLE, DATA_DIRECTORY_BYTES } from '../format/data-directory.ts';
import { OPTIONAL_HEADER_FIELD } from '../format/optional-header.ts';
import { CERTIFICATE_ALIGNMENT } from '../format/win-certificate.ts';
import { CHUNK_BYTES } from '../limits.ts';
import type { PeFile } from '../read/pe-file.ts';
import { sectionsInFileOrder } from '../read/section-table.ts';

/** Digests that firmware and signers use for PE files. */
export type AuthenticodeAlgorithm = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/**
 * What a signature covers: the Authenticode digest of the file as a signer leaves it, padded with zeros to a multiple of
 * 8 octets. This is what signatures hold, what sbsign and osslsigncode sign, and what belongs into db and dbx.
 *
 * Windows Authenticode Portable Executable Signature Format, "Calculating the PE Image Hash".
 */
export function digestCoveredBySignature(pe: PeFile, algorithm: AuthenticodeAlgorithm): Uint8Array {
  const digest = startDigest(algorithm);
  hashExtents(pe, digest);
  const unpadded = pe.source.size;
  // A signed file was padded before: its table is at a multiple of 8.
  if (pe.certificateTable === undefined) {
    digest.update(new Uint8Array(alignUp(unpadded, CERTIFICATE_ALIGNMENT) - unpadded));
  }
  return digest.digest();
}

/**
 * What firmware extends into a PCR when it loads the file: the same digest without padding. EDK II,
 * SecurityPkg/Library/DxeTpm2MeasureBootLib, MeasurePeImageAndExtend; TCG PC Client Platform Firmware Profile 1.06, 10.2.3.
 * The two differ for an unsigned file whose size is no multiple of 8, and only there.
 */
export function digestMeasuredByFirmware(pe: PeFile, algorithm: AuthenticodeAlgorithm): Uint8Array {
  const digest = startDigest(algorithm);
  hashExtents(pe, digest);
  return digest.digest();
}

function hashExtents(pe: PeFile, digest: IncrementalDigest): void {
  const buffer = new Uint8Array(Math.min(CHUNK_BYTES, pe.source.size));
  for (const { start, end } of hashedExtents(pe)) {
    for (let at = start; at < end; ) {
      const chunk = buffer.subarray(0, Math.min(buffer.length, end - at));
      pe.source.read(at, chunk);
      digest.update(chunk);
      at += chunk.length;
    }
  }
}

/**
 * What is hashed, in its order: the headers without CheckSum and the certificate table's directory entry, the sections by
 * their place in the file, and what follows them, without the certificate table.
 */
function hashedExtents(pe: PeFile): Extent[] {
  const { sizeOfHeaders, numberOfRvaAndSizes } = pe.optionalHeader;
  const checkSum = pe.offsets.optionalHeader + OPTIONAL_HEADER_FIELD.checkSum;
  const entry = pe.offsets.dataDirectories + CERTIFICATE_TABLE * DATA_DIRECTORY_BYTES;
  const extents: Extent[] = [{ start: 0, end: checkSum }];
  if (numberOfRvaAndSizes <= CERTIFICATE_TABLE) {
    extents.push({ start: checkSum + 4, end: sizeOfHeaders });
  } else {
    extents.push({ start: checkSum + 4, end: entry }, { start: entry + DATA_DIRECTORY_BYTES, end: sizeOfHeaders });
  }
  let hashed = sizeOfHeaders;
  for (const { pointerToRawData, sizeOfRawData } of sectionsInFileOrder(pe.sections)) {
    extents.push({ start: pointerToRawData, end: pointerToRawData + sizeOfRawData });
    hashed += sizeOfRawData;
  }
  // The rest begins after as many octets as were hashed, not after the last section: where sections leave gaps, as
  // objcopy does, firmware hashes the end of the last one again, and signers do the same.
  // It never begins behind its end, as what was hashed are octets before that, each once.
  extents.push({ start: hashed, end: pe.certificateTable?.start ?? pe.source.size });
  return extents;
}
