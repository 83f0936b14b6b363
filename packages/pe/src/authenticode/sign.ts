// SPDX-License-Identifier: Apache-2.0
import { concatBytes, type LongWork } from '@vouchsafe/base';
import type { ByteSink } from '@vouchsafe/bytes';
import { encode } from '@vouchsafe/codec';
import { type Certificate, type Signer, signAttached } from '@vouchsafe/pki';
import { alignUp } from '../align.ts';
import { PeError } from '../error.ts';
import {
  CERTIFICATE_ALIGNMENT,
  WIN_CERT_REVISION,
  WIN_CERTIFICATE_BYTES,
  winCertificate,
} from '../format/win-certificate.ts';
import { MAX_CERTIFICATE_TABLE_BYTES, MAX_CERTIFICATES } from '../limits.ts';
import { readCertificateTable } from '../read/certificate-table.ts';
import type { PeFile } from '../read/pe-file.ts';
import { readRange } from '../read/read-structure.ts';
import { PeChecksum } from '../write/checksum.ts';
import { PeWriter } from '../write/copy.ts';
import { HeaderPatch } from '../write/header-patch.ts';
import { type AuthenticodeAlgorithm, digestCoveredBySignature } from './digest.ts';
import { requireFirmwareScheme } from './firmware-scheme.ts';
import { SPC_OID } from './oid.ts';
import { encodeSpcIndirectData } from './spc-indirect-data.ts';

export interface SignPeOptions {
  /** With its certificate. RSA PKCS #1 v1.5 is what all firmware takes, and gives the same bytes each time. */
  readonly signer: Signer;
  /** Of the file; SHA-256 when left out. */
  readonly digestAlgorithm?: AuthenticodeAlgorithm;
  /** Milliseconds since 1970, whole seconds. Left out, no time is written; firmware reads none. */
  readonly signingTimeMs?: number;
  /** Certificates to carry along, for a signer that an authority in db has issued. */
  readonly chain?: readonly Certificate[];
}

/**
 * An Authenticode signature for the file: ContentInfo in DER. The same input gives the same bytes when the signer's scheme
 * is deterministic. Authenticode format, "PKCS #7 SignedData Structure".
 * @throws {PeError} 'options_invalid' for a key whose signatures firmware does not verify.
 * @throws {PkiError} as signAttached does.
 */
export async function createSignature(pe: PeFile, options: SignPeOptions): Promise<Uint8Array> {
  const { digestAlgorithm = 'sha256', signer, signingTimeMs, chain } = options;
  requireFirmwareScheme(signer.scheme);
  const digest = digestCoveredBySignature(pe, digestAlgorithm);
  return signAttached(encodeSpcIndirectData({ digestAlgorithm, digest }), signer, {
    contentType: SPC_OID.indirectData,
    ...(signingTimeMs === undefined ? {} : { signingTimeMs }),
    ...(chain === undefined ? {} : { certificates: chain }),
  });
}

/**
 * Writes the file with one signature more, behind those it has.
 * @throws {PeError} 'header_malformed' when the headers have no place for signatures, 'limit' when it has too many,
 * 'options_invalid' as createSignature.
 * @throws {PkiError} as signAttached does.
 */
export async function signPe(pe: PeFile, sink: ByteSink, options: SignPeOptions & LongWork): Promise<void> {
  const signature = await createSignature(pe, options);
  await attachSignature(pe, sink, signature, options);
}

/**
 * Writes the file with a signature that was made elsewhere.
 * @param signature ContentInfo in DER; not checked.
 * @throws {PeError} 'options_invalid' for no signature at all, 'header_malformed', 'limit'.
 */
export async function attachSignature(
  pe: PeFile,
  sink: ByteSink,
  signature: Uint8Array,
  work: LongWork = {},
): Promise<void> {
  if (signature.length === 0) throw new PeError('options_invalid', 'expected a signature, found no octets');
  if (readCertificateTable(pe).length === MAX_CERTIFICATES) {
    throw new PeError(
      'limit',
      `${pe.source.label}: expected fewer than ${MAX_CERTIFICATES} signatures; remove some first`,
    );
  }
  const { certificateTable } = pe;
  const old =
    certificateTable === undefined
      ? new Uint8Array()
      : readRange(pe.source, certificateTable.start, certificateTable.end - certificateTable.start, 'the table');
  // The last entry of a table may lack its padding.
  const padding = new Uint8Array(alignUp(old.length, CERTIFICATE_ALIGNMENT) - old.length);
  const table = concatBytes(old, padding, encodeEntry(signature));
  if (table.length > MAX_CERTIFICATE_TABLE_BYTES) {
    const message = `${pe.source.label}: expected at most ${MAX_CERTIFICATE_TABLE_BYTES} octets of signatures, found ${table.length}`;
    throw new PeError('limit', message);
  }
  await writeWithTable(pe, sink, table, work);
}

/** Octets of a file that has no signature yet, once it has this one. */
export function sizeWithSignature(unsignedBytes: number, signature: Uint8Array): number {
  return alignUp(unsignedBytes, CERTIFICATE_ALIGNMENT) + encodeEntry(signature).length;
}

/**
 * Writes the file without some of its signatures; the padding that the first of them brought stays, as nothing says how
 * long the file was.
 * @param isRemoved by the entry's place in the table, from 0; all when left out.
 */
export async function removeSignatures(
  pe: PeFile,
  sink: ByteSink,
  isRemoved: (index: number) => boolean = () => true,
  work: LongWork = {},
): Promise<void> {
  const { source } = pe;
  const kept = readCertificateTable(pe).flatMap((entry, index) => {
    if (isRemoved(index)) return [];
    const sizeBytes = WIN_CERTIFICATE_BYTES + entry.data.length;
    const padding = new Uint8Array(alignUp(sizeBytes, CERTIFICATE_ALIGNMENT) - sizeBytes);
    return [readRange(source, entry.offset, sizeBytes, 'a certificate'), padding];
  });
  await writeWithTable(pe, sink, concatBytes(...kept), work);
}

/** WIN_CERTIFICATE. dwLength without the padding, as sbsign and pesign write it; the directory counts it in. */
export function encodeEntry(signature: Uint8Array): Uint8Array {
  const dwLength = WIN_CERTIFICATE_BYTES + signature.length;
  const header = encode(winCertificate, {
    dwLength,
    wRevision: WIN_CERT_REVISION,
    wCertificateType: 'pkcsSignedData',
  });
  return concatBytes(header, signature, new Uint8Array(alignUp(dwLength, CERTIFICATE_ALIGNMENT) - dwLength));
}

/** The file with this certificate table, its directory entry and its checksum; headers last, so that a torn file is none. */
async function writeWithTable(pe: PeFile, sink: ByteSink, table: Uint8Array, work: LongWork): Promise<void> {
  const { source } = pe;
  const dataEnd = pe.certificateTable?.start ?? source.size;
  const hasTable = table.length > 0;
  const tableStart = hasTable ? alignUp(dataEnd, CERTIFICATE_ALIGNMENT) : dataEnd;
  const sizeBytes = tableStart + table.length;
  const header = new HeaderPatch(pe);
  header.setCheckSum(0);
  if (hasTable) header.setCertificateTable(tableStart, table.length);
  else if (pe.certificateTable !== undefined) header.setCertificateTable(0, 0);
  const checksum = new PeChecksum();
  const writer = new PeWriter(sink, checksum, 'writing', sizeBytes, work);
  await writer.copy(source, header.bytes.length, dataEnd, header.bytes.length);
  if (hasTable) {
    const padding = tableStart - dataEnd;
    if (padding > 0) sink.write(dataEnd, new Uint8Array(padding));
    await writer.write(tableStart, table);
  }
  checksum.add(header.bytes);
  header.setCheckSum(checksum.finish(sizeBytes));
  sink.write(0, header.bytes);
}
