// SPDX-License-Identifier: Apache-2.0
/** What kind of certificate DER is, by its first octets. */

const SEQUENCE = 0x30;
const INTEGER = 0x02;
/** The version of a certificate, explicitly tagged [0]. RFC 5280, 4.1. */
const VERSION_TAG = 0xa0;

/** Where the contents begin of the SEQUENCE that is signed; undefined for what is no certificate of either kind. */
export function signedBodyOffset(der: Uint8Array): number | undefined {
  if (der.length < 16 || der[0] !== SEQUENCE || der[1] !== 0x82 || der[4] !== SEQUENCE) return undefined;
  const body = 6 + (der[5] === 0x82 ? 2 : der[5] === 0x81 ? 1 : 0);
  return der[body] === VERSION_TAG || der[body] === INTEGER ? body : undefined;
}

/**
 * RFC 5755, 4.1: the version of an attribute certificate is v2, the number 1, without a tag, and the holder follows. Of a
 * certificate, the serial number could stand there (RFC 5280), and an algorithm follows, which begins with an identifier.
 */
export function isAttributeCertificateDer(der: Uint8Array): boolean {
  const body = signedBodyOffset(der);
  if (body === undefined || der[body] !== INTEGER || der[body + 1] !== 1 || der[body + 2] !== 1) return false;
  if (der[body + 3] !== SEQUENCE) return false;
  const lengthBytes = (der[body + 4] ?? 0) < 0x80 ? 0 : (der[body + 4] as number) & 0x7f;
  return der[body + 5 + lengthBytes] !== OBJECT_IDENTIFIER;
}

const OBJECT_IDENTIFIER = 0x06;
