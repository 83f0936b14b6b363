// SPDX-License-Identifier: Apache-2.0
import type { Challenge, EnrolmentRequest, Evidence } from '@vouchsafe/protocol';
import { type Static, Type } from 'typebox';

const octets = Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength: 8192 });
const wrappedKey = Type.Object({ publicArea: octets, privateArea: octets }, { additionalProperties: false });

/**
 * Keys of one TPM, as they are kept outside it, base64url: a TPMT_PUBLIC and the contents of a TPM2B_PRIVATE, which only
 * that TPM opens. `parent` is the TPMT_PUBLIC of the storage key that they are under: a salt is sent to no other.
 */
export const machineKeys = Type.Object(
  { parent: octets, attestation: wrappedKey, client: wrappedKey, decryption: wrappedKey },
  { additionalProperties: false },
);
export type MachineKeys = Static<typeof machineKeys>;
export type WrappedKey = Static<typeof wrappedKey>;

/** Which endorsement key speaks for the machine: the name of its template, and its public area as a check. */
export interface Endorsement {
  readonly template: string;
  readonly publicArea: string;
  readonly certificates: EnrolmentRequest['endorsement']['certificates'];
  readonly platformCertificates: EnrolmentRequest['platformCertificates'];
}

/** What the TPM says about itself over one nonce. */
export interface TpmEvidence {
  readonly quote: Evidence['quote'];
  readonly pcrs: Evidence['pcrs'];
  readonly keys?: NonNullable<Evidence['keys']>;
}

/** A machine's TPM, by what the agent asks of it. The load generator has one without a TPM behind it. */
export interface MachineTpm {
  readEndorsement(): Promise<Endorsement>;
  /** Makes the three keys. They take room in the TPM only while they are used. */
  createKeys(): Promise<MachineKeys>;
  /** False when the keys are of another TPM, or of before this one was cleared. */
  holds(keys: MachineKeys): Promise<boolean>;
  /**
   * Opens the credential of an enrolment.
   * @throws {AgentError} 'credential_refused' when it was made for another TPM or another attestation key
   */
  activate(
    keys: MachineKeys,
    endorsement: Pick<Endorsement, 'template' | 'publicArea'>,
    credential: { readonly idObject: Uint8Array; readonly encryptedSecret: Uint8Array },
  ): Promise<Uint8Array>;
  /** A quote over the nonce and exactly that selection, with the values; and, when wanted, the other keys' certifications. */
  attest(
    keys: MachineKeys,
    nonce: Uint8Array,
    selection: Challenge['selection'],
    certifiesKeys: boolean,
  ): Promise<TpmEvidence>;
  /**
   * RSAES-OAEP with SHA-256, by the decryption key.
   * @throws {AgentError} 'secret_malformed'
   */
  decrypt(keys: MachineKeys, ciphertext: Uint8Array, label: Uint8Array): Promise<Uint8Array>;
}
