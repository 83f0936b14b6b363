// SPDX-License-Identifier: Apache-2.0
import { decodeSignedData, openDer, PkiError, type SignedData } from '@vouchsafe/pki';
import { PeError } from '../error.ts';
import { CERTIFICATE_ALIGNMENT } from '../format/win-certificate.ts';
import { type CertificateEntry, readCertificateTable } from '../read/certificate-table.ts';
import type { PeFile } from '../read/pe-file.ts';
import { SPC_OID } from './oid.ts';
import { decodeSpcIndirectData, type SpcIndirectData } from './spc-indirect-data.ts';

/** An Authenticode signature as it stands in the file. Nothing in it is verified. */
export interface AuthenticodeSignature {
  /** ContentInfo in DER, without padding. */
  readonly bytes: Uint8Array;
  readonly signedData: SignedData;
  /** The file that the signature claims to be for. */
  readonly indirectData: SpcIndirectData;
}

/** An entry of the certificate table, and the signature in it or why it holds none. */
export type SignatureEntry =
  | { readonly entry: CertificateEntry; readonly signature: AuthenticodeSignature; readonly error?: undefined }
  | { readonly entry: CertificateEntry; readonly signature?: undefined; readonly error: PeError };

/**
 * All entries of the certificate table, each decoded by itself: firmware takes the first that verifies, so one that is
 * broken must not hide the others.
 * @throws {PeError} 'certificate_table', 'limit'.
 */
export function readSignatures(pe: PeFile): SignatureEntry[] {
  return readCertificateTable(pe).map((entry) => {
    try {
      return { entry, signature: decodeAuthenticode(entry, pe.source.label) };
    } catch (error) {
      if (!(error instanceof PeError)) throw error;
      return { entry, error };
    }
  });
}

/**
 * The Authenticode signature in an entry. Authenticode format, "PKCS #7 SignedData Structure".
 * @throws {PeError} 'signature_malformed'.
 */
export function decodeAuthenticode({ type, data, offset }: CertificateEntry, label: string): AuthenticodeSignature {
  if (type !== 'pkcsSignedData') {
    throw new PeError(
      'signature_malformed',
      `${label}: expected a PKCS #7 signature, found a certificate of type ${type}`,
      {
        offset,
      },
    );
  }
  try {
    const bytes = withoutPadding(data, label, offset);
    const signedData = decodeSignedData(bytes);
    const { contentType, content } = signedData;
    if (contentType !== SPC_OID.indirectData || content === undefined) {
      const message = `${label}: expected SpcIndirectDataContent (${SPC_OID.indirectData}), found ${contentType}${content === undefined ? ' without content' : ''}`;
      throw new PeError('signature_malformed', message, { offset });
    }
    // "Only one SignerInfo": with a second, one reader would take the signer whom it knows and another refuse both.
    if (signedData.signers.length !== 1) {
      const message = `${label}: expected one signer in a signature, found ${signedData.signers.length}`;
      throw new PeError('signature_malformed', message, { offset });
    }
    return { bytes, signedData, indirectData: decodeSpcIndirectData(content, label) };
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw new PeError('signature_malformed', `${label}: signature: ${cause.message}`, { offset, cause });
  }
}

/** osslsigncode and systemd-sbsign count the padding in, sbsign and pesign do not. */
function withoutPadding(data: Uint8Array, label: string, offset: number): Uint8Array {
  const { bytes } = openDer(data).read('ContentInfo');
  const padding = data.subarray(bytes.length);
  if (padding.length >= CERTIFICATE_ALIGNMENT || padding.some((octet) => octet !== 0)) {
    const message = `${label}: expected fewer than ${CERTIFICATE_ALIGNMENT} zeros after the signature, found ${padding.length} octets`;
    throw new PeError('signature_malformed', message, { offset });
  }
  return bytes;
}
