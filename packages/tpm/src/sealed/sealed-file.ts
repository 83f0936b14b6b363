// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { CodecError, encode } from '@vouchsafe/codec';
import { encodeBase64 } from '@vouchsafe/pki';
import { TpmError } from '../error.ts';
import { decodePublic, type PublicArea } from '../name.ts';
import type { PcrSelection } from '../pcr-selection.ts';
import type { PcrValue } from '../pcr-values.ts';
import { TPM_HASH, type TpmHash } from '../structures/algorithm.ts';
import { tpm2bPublic } from '../structures/public.ts';
import { JsonFields } from './json-fields.ts';
import type { SealedObject } from './seal.ts';

/** A sealed object as a file of ours keeps it: with what it was sealed to, so that a failure can be explained. */
export interface SealedFile {
  readonly sealed: SealedObject;
  /** Values of the PCRs of its policy. Nothing is decided by them: the TPM has the policy's digest. */
  readonly sealedTo: readonly PcrValue[];
}

const TYPE = 'vouchsafe-sealed';
const VERSION = 1;
const HASHES = Object.keys(TPM_HASH) as TpmHash[];

/**
 * The file's JSON. `public` is a TPM2B_PUBLIC as tpm2_create writes it, `private` the contents of the TPM2B_PRIVATE.
 * @throws {TpmError} 'argument_invalid' for what only tokens of systemd have: a parent at a handle, a seed, a pcrlock policy
 */
export function formatSealedFile({ sealed, sealedTo }: SealedFile): string {
  const { area, private: wrapped, parent, policy, seed } = sealed;
  if (parent.template === 'persistent' || policy.pcrlock !== undefined || seed !== undefined) {
    throw new TpmError('argument_invalid', 'expected an object that this TPM made under a key of a template');
  }
  const { signedPcrs } = policy;
  const document = {
    type: TYPE,
    version: VERSION,
    parent,
    public: encodeBase64(encode(tpm2bPublic, area)),
    private: encodeBase64(wrapped),
    policy: {
      hash: policy.hash,
      ...(signedPcrs === undefined
        ? {}
        : { signedPcrs: { publicKey: encodeBase64(signedPcrs.spki), pcrs: selectionsObject(signedPcrs.pcrs) } }),
      ...(policy.pcrs === undefined ? {} : { pcrs: selectionsObject(policy.pcrs) }),
      pin: policy.withPin,
    },
    sealedTo: valuesObject(sealedTo),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** @throws {TpmError} 'sealed_malformed' */
export function parseSealedFile(text: string, label: string): SealedFile {
  const root = JsonFields.parse(text, label);
  root.oneOf('type', [TYPE]);
  if (root.number('version') !== VERSION) {
    throw root.error('version', `version ${VERSION}; a newer vouchsafe wrote it`);
  }
  const parent = root.object('parent');
  const policy = root.object('policy');
  const signed = policy.has('signedPcrs') ? policy.object('signedPcrs') : undefined;
  return {
    sealed: {
      area: publicIn(root, 'public'),
      private: root.base64('private'),
      parent: {
        template: parent.oneOf('template', ['srk', 'plain']),
        key: parent.oneOf('key', ['ecc', 'rsa']),
        hash: parent.oneOf('hash', HASHES),
      },
      policy: {
        hash: policy.oneOf('hash', HASHES),
        ...(signed === undefined
          ? {}
          : { signedPcrs: { spki: signed.base64('publicKey'), pcrs: selectionsIn(signed.object('pcrs')) } }),
        ...(policy.has('pcrs') ? { pcrs: selectionsIn(policy.object('pcrs')) } : {}),
        withPin: policy.boolean('pin'),
      },
    },
    sealedTo: valuesIn(root.object('sealedTo')),
  };
}

/** A TPM2B_PUBLIC in base64. @throws {TpmError} 'sealed_malformed' */
export function publicIn(fields: JsonFields, name: string, alphabet: 'standard' | 'url' = 'standard'): PublicArea {
  try {
    return decodePublic(fields.base64(name, alphabet));
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    throw new TpmError('sealed_malformed', `${name}: expected a TPM2B_PUBLIC: ${cause.message}`, { cause });
  }
}

const selectionsObject = (selections: readonly PcrSelection[]) =>
  Object.fromEntries(selections.map(({ bank, pcrs }) => [bank, pcrs]));

function selectionsIn(fields: JsonFields): PcrSelection[] {
  return fields.names().map((bank) => ({ bank: bankIn(fields, bank), pcrs: fields.pcrs(bank) }));
}

function bankIn(fields: JsonFields, name: string): TpmHash {
  const bank = HASHES.find((hash) => hash === name);
  if (bank === undefined) throw fields.error(name, `banks of ${HASHES.join(', ')}`);
  return bank;
}

function valuesObject(values: readonly PcrValue[]): Record<string, Record<string, string>> {
  const banks: Record<string, Record<string, string>> = {};
  for (const { bank, pcr, value } of values) {
    const name = String(bank);
    banks[name] = { ...banks[name], [pcr]: toHex(value) };
  }
  return banks;
}

function valuesIn(fields: JsonFields): PcrValue[] {
  return fields.names().flatMap((name) => {
    const bank = bankIn(fields, name);
    const values = fields.object(name);
    return values.names().map((pcr) => {
      if (!/^(1?[0-9]|2[0-3])$/.test(pcr)) throw values.error(pcr, 'PCRs from 0 to 23');
      return { bank, pcr: Number(pcr), value: values.hex(pcr) };
    });
  });
}
