// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import { decode } from '@vouchsafe/codec';
import { TpmError } from '../error.ts';
import { tpmDigest } from '../hash.ts';
import { nameOf, nvNameOf, type PublicArea } from '../name.ts';
import { type CreationData, tpmsCreationData } from '../structures/creation.ts';
import type { NvPublic } from '../structures/nv.ts';
import { type AttestEvidence, type AttestExpectation, type VerifiedAttest, verifyAttest } from './verify-attest.ts';

/**
 * TPM2_Certify: this object is in the TPM of the attestation key. What the object is follows from its public area, whose
 * name was signed: check its attributes.
 * @param object its public area, as the machine sent it
 * @param qualifiedName given where its place among the keys is known
 * @throws {TpmError} as `verifyAttest`; 'attest_name' when another object was certified
 */
export function verifyCertify(
  evidence: AttestEvidence,
  expected: AttestExpectation & { readonly object: PublicArea; readonly qualifiedName?: Uint8Array },
): VerifiedAttest<'certify'> {
  const attest = verifyAttest(evidence, 'certify', expected);
  requireName(attest.attested.name, nameOf(expected.object));
  if (expected.qualifiedName !== undefined) requireName(attest.attested.qualifiedName, expected.qualifiedName);
  return attest;
}

/** How an object was made, as a TPM attests it. */
export interface VerifiedCreation {
  readonly attest: VerifiedAttest<'creation'>;
  readonly creation: CreationData;
}

/**
 * TPM2_CertifyCreation: this object was made by the TPM of the attestation key, with this creation data: parent, PCRs,
 * what the creator gave.
 * @param creationData the octets of TPMS_CREATION_DATA, as the machine sent them
 * @throws {TpmError} as `verifyAttest`; 'attest_name', and 'attest_creation' for other creation data
 * @throws {CodecError} for malformed bytes
 */
export function verifyCertifyCreation(
  evidence: AttestEvidence,
  expected: AttestExpectation & { readonly object: PublicArea },
  creationData: Uint8Array,
): VerifiedCreation {
  const attest = verifyAttest(evidence, 'creation', expected);
  requireName(attest.attested.objectName, nameOf(expected.object));
  const bytes = creationData.slice();
  const { nameAlg } = expected.object.value;
  // nameOf has refused an object without a hash.
  const hash = nameAlg === 'null' ? new Uint8Array() : tpmDigest(nameAlg, bytes);
  if (!bytesEqual(attest.attested.creationHash, hash)) {
    const signed = toHex(attest.attested.creationHash);
    throw new TpmError('attest_creation', `expected creation data with the hash ${signed}, found ${toHex(hash)}`);
  }
  return { attest, creation: { value: decode(tpmsCreationData, bytes), bytes } };
}

/**
 * TPM2_NV_Certify: an NV index holds this. The contents are in the attestation.
 * @param index its public area, as the machine sent it
 * @throws {TpmError} as `verifyAttest`; 'attest_name' for another index or another state of it
 */
export function verifyNvCertify(
  evidence: AttestEvidence,
  expected: AttestExpectation & { readonly index: NvPublic },
): VerifiedAttest<'nv'> {
  const attest = verifyAttest(evidence, 'nv', expected);
  requireName(attest.attested.indexName, nvNameOf(expected.index));
  return attest;
}

function requireName(found: Uint8Array, expected: Uint8Array): void {
  if (bytesEqual(found, expected)) return;
  throw new TpmError('attest_name', `expected the name ${toHex(expected)}, found ${toHex(found)}`);
}
