// SPDX-License-Identifier: Apache-2.0

import { decode } from '@vouchsafe/codec';
import { type Authority, type Certificate, type CertificateInput, issueCertificate, OID } from '@vouchsafe/pki';
import { input, newSigner } from '@vouchsafe/testing/authorities';
import { publicAreaFromSpki, type TpmtPublic, tpmaObject } from '@vouchsafe/tpm';

/** What the EK Credential Profile has an EK certificate say. */
const EK_SAYS: Partial<CertificateInput> = {
  subject: [],
  basicConstraints: { isCa: false, pathLength: undefined },
  keyUsage: ['keyAgreement'],
  extKeyUsage: [OID.tcgEndorsementKey],
  subjectAltName: [
    {
      kind: 'directory',
      attributes: [
        { oid: '2.23.133.2.1', text: 'id:53544D20' },
        { oid: '2.23.133.2.2', text: 'ST33' },
        { oid: '2.23.133.2.3', text: 'id:00010101' },
      ],
    },
  ],
};

/** The public area of a key as a TPM's decryption key. */
export function ekArea(spki: Uint8Array): TpmtPublic {
  return publicAreaFromSpki(spki, {
    nameAlg: 'sha256',
    // Part 3 of the EK Credential Profile: a restricted decryption key of this TPM.
    objectAttributes: decode(tpmaObject, Uint8Array.of(0x00, 0x03, 0x00, 0xb2)),
  });
}

export interface Ek {
  readonly publicArea: TpmtPublic;
  readonly certificate: Certificate;
}

/** An endorsement key and its certificate. */
export async function ekBy(issuer: Authority, change: Partial<CertificateInput> = {}): Promise<Ek> {
  const { spki } = newSigner();
  const certificate = await issueCertificate(input('', { ...EK_SAYS, ...change }), spki, issuer);
  return { publicArea: ekArea(spki), certificate };
}
