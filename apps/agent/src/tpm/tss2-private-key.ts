// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { encode, u16be } from '@vouchsafe/codec';
import {
  contextTag,
  encodeBoolean,
  encodeElement,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  formatPem,
} from '@vouchsafe/pki';
import { parseBase64url } from '@vouchsafe/protocol';
import type { WrappedKey } from '../machine-tpm.ts';
import { STORAGE_PARENT_HANDLE } from './storage-parent.ts';

/** id-loadablekey: draft-bottomley-tpm2-keys, section 3.1.1. */
const LOADABLE_KEY = '2.23.133.10.1.3';

/**
 * The form in which OpenSSL's TPM providers and engines read a key that is in a TPM: PEM of a TPMKey,
 * draft-bottomley-tpm2-keys, section 3.1. Without the TPM it is of no use to anybody.
 */
export function formatTss2PrivateKey({ publicArea, privateArea }: WrappedKey): string {
  const sized = (bytes: Uint8Array): Uint8Array => concatBytes(encode(u16be, bytes.length), bytes);
  const der = encodeSequence(
    encodeOid(LOADABLE_KEY),
    // emptyAuth: nobody has to be asked for an authValue.
    encodeElement(contextTag(0, 'constructed'), encodeBoolean(true)),
    encodeInteger(BigInt(STORAGE_PARENT_HANDLE)),
    encodeOctetString(sized(parseBase64url(publicArea))),
    encodeOctetString(sized(parseBase64url(privateArea))),
  );
  return formatPem('TSS2 PRIVATE KEY', der);
}
