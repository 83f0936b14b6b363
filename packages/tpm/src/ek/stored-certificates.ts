// SPDX-License-Identifier: Apache-2.0
/**
 * Certificates as makers put them into NV. TCG EK Credential Profile 2.x, section 2.2: DER. What is found beside that:
 * an index larger than the certificate, filled with zeros or ones; the header of TPM 1.2's stored certificates in front;
 * and, of chains, one certificate after the other, across the border of two indices.
 */

/** TCG_TAG_PCCLIENT_STORED_CERT, TCG_TAG_PCCLIENT_FULL_CERT. TCG PC Client Specific Implementation Specification, for TPM 1.2. */
const STORED_CERT = 0x1001;
const FULL_CERT = 0x1002;
const STORED_HEADER_BYTES = 5;
const FULL_HEADER_BYTES = 2;

/** Of one certificate; the longest known takes about 2,000. */
const MAX_CERTIFICATE_BYTES = 16_384;
/** In one chain. */
const MAX_CERTIFICATES = 32;

/** What was found in the contents of one index, or of several that belong together. */
export interface StoredCertificates {
  /** DER, each cut to its own length; whether it is a certificate has not been looked at. */
  readonly certificates: readonly Uint8Array[];
  /** True when something else than padding follows, or stands in front. */
  readonly hasForeignBytes: boolean;
}

/** Takes the certificates out of NV contents. Never throws: contents that hold none give none. */
export function findStoredCertificates(contents: Uint8Array): StoredCertificates {
  const certificates: Uint8Array[] = [];
  let at = headerSize(contents);
  while (certificates.length < MAX_CERTIFICATES) {
    const size = sequenceSize(contents, at);
    if (size === undefined) break;
    certificates.push(contents.slice(at, at + size));
    at += size;
  }
  const left = contents.subarray(at);
  return { certificates, hasForeignBytes: !left.every((octet) => octet === 0x00 || octet === 0xff) };
}

function headerSize(contents: Uint8Array): number {
  const tagAt = (at: number): number => ((contents[at] ?? 0) << 8) | (contents[at + 1] ?? 0);
  if (tagAt(0) !== STORED_CERT) return 0;
  return STORED_HEADER_BYTES + (tagAt(STORED_HEADER_BYTES) === FULL_CERT ? FULL_HEADER_BYTES : 0);
}

/**
 * Octets of the DER SEQUENCE at an offset, its head included; undefined where none is, or it is cut short. X.690,
 * section 8.1.3: the definite form, with a length of two octets as certificates have, or of one or three.
 */
function sequenceSize(contents: Uint8Array, at: number): number | undefined {
  if (contents[at] !== 0x30) return undefined;
  const first = contents[at + 1];
  if (first === undefined || first === 0x80) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 3) return undefined;
  let length = lengthBytes === 0 ? first : 0;
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + (contents[at + 2 + i] ?? 0);
  const size = 2 + lengthBytes + length;
  return size > MAX_CERTIFICATE_BYTES || at + size > contents.length ? undefined : size;
}
