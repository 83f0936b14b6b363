// SPDX-License-Identifier: Apache-2.0
import { encodeBitString, encodeNull, encodeOid, encodeSequence } from '../der/writer.ts';
import { OID } from '../oid.ts';
import type { Certificate } from './certificate.ts';

/**
 * DER of the certified key as key import takes it. Some TPM makers certify endorsement keys as id-RSAES-OAEP (RFC 4055,
 * 4.1), which says what the key is for and not what it is; here it is the RSA key that it is.
 */
export function subjectSpki({ publicKey }: Certificate): Uint8Array {
  if (publicKey.algorithm.oid !== OID.rsaesOaep) return publicKey.bytes;
  return encodeSequence(encodeSequence(encodeOid(OID.rsaEncryption), encodeNull()), encodeBitString(publicKey.keyBits));
}
