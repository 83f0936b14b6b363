// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { randomBytes } from '@vouchsafe/crypto/signing';
import { type Challenge, encodeBase64url } from '@vouchsafe/protocol';
import {
  activateCredential,
  attestationKeyTemplate,
  clientKeyTemplate,
  createObject,
  decryptionKeyTemplate,
  encodePcrSelection,
  execute,
  importSigningKey,
  type LoadedObject,
  nameOf,
  type PcrValue,
  readPcrs,
  TpmError,
  TpmResponseError,
  type TpmTransport,
  tpm2Certify,
  tpm2Quote,
  tpm2RsaDecrypt,
  tpmtSignature,
  verifyQuote,
  withSession,
} from '@vouchsafe/tpm';
import type { OpenTpm } from '@vouchsafe/tpm/node';
import { AgentError } from '../error.ts';
import type { MachineKeys, MachineTpm, TpmEvidence } from '../machine-tpm.ts';
import { type EndorsementOptions, readEndorsement, withEndorsement } from './endorsement.ts';
import { publicAreaOf, withKey, withKnownParent, withParent, wrappedKeyOf } from './storage-parent.ts';

const NULL_SCHEME = { scheme: 'null', details: {} } as const;

/** PCRs that are extended while they are quoted and read, such as IMA's, make values and quote differ: so often it is tried. */
const MAX_QUOTES = 8;

/**
 * The TPM of this machine. It is opened for each use and closed after it: other programs want it too, and where there is
 * no resource manager nothing of ours stays loaded.
 */
export function localTpm(open: () => Promise<OpenTpm>, endorsement: EndorsementOptions = {}): MachineTpm {
  const withTpm = async <T>(use: (tpm: TpmTransport) => Promise<T>): Promise<T> => {
    const tpm = await open();
    try {
      return await use(tpm);
    } finally {
      await tpm.close();
    }
  };
  return {
    readEndorsement: () => withTpm((tpm) => readEndorsement(tpm, endorsement)),
    createKeys: () => withTpm(createKeys),
    holds: (keys) =>
      withTpm((tpm) => withParent(tpm, async ({ name }) => bytesEqual(name, nameOf(publicAreaOf(keys.parent))))),
    activate: (keys, ek, credential) => withTpm((tpm) => activate(tpm, keys, ek, credential)),
    attest: (keys, nonce, selection, certifiesKeys) =>
      withTpm((tpm) => attest(tpm, keys, nonce, selection, certifiesKeys)),
    decrypt: (keys, ciphertext, label) => withTpm((tpm) => decrypt(tpm, keys, ciphertext, label)),
  };
}

function createKeys(tpm: TpmTransport): Promise<MachineKeys> {
  return withParent(tpm, async (parent) => {
    const make = async (template: Parameters<typeof createObject>[2]['template']) =>
      wrappedKeyOf(await createObject(tpm, parent, { template }));
    return {
      parent: encodeBase64url(parent.area.bytes),
      attestation: await make(attestationKeyTemplate('ecdsa-p256')),
      client: await make(clientKeyTemplate('P-256')),
      decryption: await make(decryptionKeyTemplate()),
    };
  });
}

async function activate(
  tpm: TpmTransport,
  keys: MachineKeys,
  endorsement: Parameters<MachineTpm['activate']>[1],
  { idObject, encryptedSecret }: Parameters<MachineTpm['activate']>[2],
): Promise<Uint8Array> {
  const credential = { credentialBlob: idObject, secret: encryptedSecret };
  try {
    return await withKnownParent(tpm, keys, (parent) =>
      withKey(tpm, parent, keys.attestation, (ak) =>
        withEndorsement(tpm, endorsement, (ek) => activateCredential(tpm, ek, ak, credential, { random: randomBytes })),
      ),
    );
  } catch (cause) {
    if (!isRefusal(cause)) throw cause;
    const message =
      "expected a credential for this machine's endorsement and attestation keys, found one that its TPM does not open";
    throw new AgentError('credential_refused', message, { cause });
  }
}

/** What a TPM answers to a credential that is for other keys: TPM 2.0 Library, Part 3, section 12.5, and its parameters' errors. */
const REFUSALS: readonly string[] = ['INTEGRITY', 'VALUE', 'SIZE', 'ECC_POINT', 'TYPE', 'INSUFFICIENT', 'FAILURE'];
const isRefusal = (error: unknown): boolean =>
  error instanceof TpmResponseError && REFUSALS.includes(error.returnCode.name.replace('TPM_RC_', ''));

function attest(
  tpm: TpmTransport,
  keys: MachineKeys,
  nonce: Uint8Array,
  selection: Challenge['selection'],
  certifiesKeys: boolean,
): Promise<TpmEvidence> {
  return withKnownParent(tpm, keys, (parent) =>
    withKey(tpm, parent, keys.attestation, async (ak) => {
      const { attest: quoted, signature, values } = await quote(tpm, ak, nonce, selection);
      const evidence = {
        quote: { attest: encodeBase64url(quoted), signature: encodeBase64url(signature) },
        pcrs: values.map(({ bank, pcr, value }) => ({
          bank,
          pcr,
          value: encodeBase64url(value),
        })) as TpmEvidence['pcrs'],
      };
      if (!certifiesKeys) return evidence;
      const certification = (key: MachineKeys['client']) =>
        withKey(tpm, parent, key, (object) => certify(tpm, ak, object, nonce));
      const client = await certification(keys.client);
      return { ...evidence, keys: { client, decryption: await certification(keys.decryption) } };
    }),
  );
}

/**
 * A quote and the values that it covers. It is checked as the service will check it: what something between this program
 * and the TPM has changed does not leave the machine.
 */
async function quote(
  tpm: TpmTransport,
  ak: LoadedObject,
  nonce: Uint8Array,
  selection: Challenge['selection'],
): Promise<{ attest: Uint8Array; signature: Uint8Array; values: readonly PcrValue[] }> {
  const expected = { key: importSigningKey(ak.area.value), selection, nonce };
  for (let round = 1; ; round++) {
    const { quoted, signature } = await execute(tpm, tpm2Quote, {
      signHandle: ak,
      qualifyingData: nonce,
      inScheme: NULL_SCHEME,
      PCRselect: selection.map(encodePcrSelection),
    });
    const { values } = await readPcrs(tpm, selection);
    const made = { attest: quoted.slice(), signature: encode(tpmtSignature, signature) };
    try {
      verifyQuote({ ...made, pcrs: values }, expected);
      return { ...made, values };
    } catch (error) {
      const isChanged = error instanceof TpmError && error.code === 'quote_pcr_digest';
      if (!isChanged || round === MAX_QUOTES) throw error;
    }
  }
}

async function certify(
  tpm: TpmTransport,
  ak: LoadedObject,
  object: LoadedObject,
  nonce: Uint8Array,
): Promise<NonNullable<NonNullable<TpmEvidence['keys']>['client']>> {
  const { certifyInfo, signature } = await execute(tpm, tpm2Certify, {
    objectHandle: object,
    signHandle: ak,
    qualifyingData: nonce,
    inScheme: NULL_SCHEME,
  });
  return {
    publicArea: encodeBase64url(object.area.bytes),
    attest: encodeBase64url(certifyInfo),
    signature: encodeBase64url(encode(tpmtSignature, signature)),
  };
}

/** The message comes back encrypted to a session whose salt only the storage key of the enrolment opens. */
async function decrypt(
  tpm: TpmTransport,
  keys: MachineKeys,
  cipherText: Uint8Array,
  label: Uint8Array,
): Promise<Uint8Array> {
  return withKnownParent(tpm, keys, (parent) =>
    withKey(tpm, parent, keys.decryption, async (key) => {
      const salt = { handle: parent.handle, area: publicAreaOf(keys.parent) };
      try {
        return await withSession(tpm, { kind: 'hmac', random: randomBytes, salt }, async (session) => {
          const input = { keyHandle: key, cipherText, inScheme: NULL_SCHEME, label };
          const { message } = await execute(tpm, tpm2RsaDecrypt, input, { sessions: [session] });
          return message.slice();
        });
      } catch (cause) {
        if (!isRefusal(cause)) throw cause;
        const message = "expected a secret for this machine's decryption key, found one that its TPM does not open";
        throw new AgentError('secret_malformed', message, { cause });
      }
    }),
  );
}
