// SPDX-License-Identifier: Apache-2.0
import { alignUp } from '../align.ts';
import { PeError } from '../error.ts';
import {
  CERTIFICATE_ALIGNMENT,
  WIN_CERTIFICATE_BYTES,
  type WinCertificate,
  winCertificate,
} from '../format/win-certificate.ts';
import { MAX_CERTIFICATES } from '../limits.ts';
import type { PeFile } from './pe-file.ts';
import { decodeStructure, readRange } from './read-structure.ts';

/** One entry of the certificate table. Nothing in it is verified. */
export interface CertificateEntry {
  /** File offset of the entry's header. */
  readonly offset: number;
  readonly type: WinCertificate['wCertificateType'];
  readonly revision: number;
  /** What follows the header, up to dwLength: some tools count the padding after the signature in. */
  readonly data: Uint8Array;
}

/**
 * The entries of the certificate table, in order; none when the file is not signed.
 * @throws {PeError} 'certificate_table' when a length lies, 'limit'.
 */
export function readCertificateTable({ source, certificateTable }: PeFile): CertificateEntry[] {
  if (certificateTable === undefined) return [];
  const { start, end } = certificateTable;
  const table = readRange(source, start, end - start, 'the certificate table');
  const entries: CertificateEntry[] = [];
  let at = 0;
  while (at < table.length) {
    const offset = start + at;
    if (entries.length === MAX_CERTIFICATES) {
      throw new PeError('limit', `${source.label}: expected at most ${MAX_CERTIFICATES} certificates, found more`, {
        offset,
      });
    }
    const left = table.length - at;
    if (left < WIN_CERTIFICATE_BYTES) {
      throw new PeError('certificate_table', `${source.label}: expected a WIN_CERTIFICATE, found ${left} octets`, {
        offset,
      });
    }
    const header = table.subarray(at, at + WIN_CERTIFICATE_BYTES);
    const { dwLength, wRevision, wCertificateType } = decodeStructure(
      winCertificate,
      header,
      offset,
      source.label,
      'certificate_table',
    );
    if (dwLength <= WIN_CERTIFICATE_BYTES || dwLength > left) {
      const message = `${source.label}: expected dwLength from ${WIN_CERTIFICATE_BYTES + 1} to ${left}, found ${dwLength}`;
      throw new PeError('certificate_table', message, { offset });
    }
    const data = table.subarray(at + WIN_CERTIFICATE_BYTES, at + dwLength);
    entries.push({ offset, type: wCertificateType, revision: wRevision, data });
    const next = Math.min(table.length, alignUp(at + dwLength, CERTIFICATE_ALIGNMENT));
    // Nothing signs these octets, and they are no entry: whatever stood here would be smuggled along.
    if (table.subarray(at + dwLength, next).some((octet) => octet !== 0)) {
      throw new PeError('certificate_table', `${source.label}: expected zeros after a certificate`, {
        offset: offset + dwLength,
      });
    }
    at = next;
  }
  return entries;
}
