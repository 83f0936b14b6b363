// SPDX-License-Identifier: Apache-2.0
import { concatBytes, parseUtf8, TextError, toHex, utf8 } from '@vouchsafe/base';
import { CodecError, decode, encode, struct } from '@vouchsafe/codec';
import { digest } from '@vouchsafe/crypto';
import { encodeBase64, formatPem, PkiError, parsePem } from '@vouchsafe/pki';
import { TpmError } from '../error.ts';
import type { PcrSelection } from '../pcr-selection.ts';
import { formatBank, type TpmHash } from '../structures/algorithm.ts';
import { tpm2bPublic } from '../structures/public.ts';
import { tpm2bPrivate } from '../structures/sensitive.ts';
import { JsonFields } from './json-fields.ts';
import type { SealedObject } from './seal.ts';

/** What tpm2-blob holds: the private part, then the public one. systemd, src/shared/tpm2-util.c (tpm2_seal). */
const blobStruct = struct('tpm2-blob', { private: tpm2bPrivate, public: tpm2bPublic });

/** A LUKS2 token of systemd-cryptenroll: a sealed object and the key slots that it opens. */
export interface SystemdToken {
  readonly sealed: SealedObject;
  readonly keyslots: readonly string[];
}

export const SYSTEMD_TOKEN_TYPE = 'systemd-tpm2';
/** PCR banks that systemd writes by name. */
const BANKS = ['sha1', 'sha256', 'sha384', 'sha512'] as const satisfies readonly TpmHash[];

/**
 * A token of type systemd-tpm2, as version 252 writes it and later ones read it. systemd, src/shared/tpm2-util.c
 * (tpm2_make_luks2_json, tpm2_parse_luks2_json). Those with a salt, an SRK or a pcrlock policy (254 and later) are refused
 * by name: their policies need more than is here.
 * @throws {TpmError} 'sealed_malformed'
 */
export function parseSystemdToken(value: unknown, label: string): SystemdToken {
  const fields = JsonFields.of(value, label);
  fields.oneOf('type', [SYSTEMD_TOKEN_TYPE]);
  for (const name of ['tpm2_salt', 'tpm2_srk', 'tpm2_pcrlock']) {
    if (fields.has(name) && fields.flag(name)) {
      throw new TpmError('sealed_malformed', `${label}: ${name} is not read here; open it with systemd-cryptsetup`);
    }
  }
  const bank = fields.has('tpm2-pcr-bank') ? fields.oneOf('tpm2-pcr-bank', BANKS) : 'sha256';
  const { private: wrapped, area } = blobIn(fields, label);
  const pcrs = fields.pcrs('tpm2-pcrs');
  const signed = fields.has('tpm2_pubkey') ? { spki: spkiIn(fields, label), pcrs: signedIn(fields, bank) } : undefined;
  return {
    keyslots: fields.strings('keyslots'),
    sealed: {
      area,
      private: wrapped,
      parent: {
        template: 'plain',
        key: fields.has('tpm2-primary-alg') ? fields.oneOf('tpm2-primary-alg', ['ecc', 'rsa']) : 'ecc',
        hash: 'sha256',
      },
      policy: {
        hash: 'sha256',
        ...(signed === undefined ? {} : { signedPcrs: signed }),
        ...(pcrs.length === 0 ? {} : { pcrs: [{ bank, pcrs }] }),
        withPin: fields.has('tpm2-pin') && fields.boolean('tpm2-pin'),
      },
    },
  };
}

function blobIn(fields: JsonFields, label: string) {
  try {
    const blob = decode(blobStruct, fields.base64('tpm2-blob'));
    return { private: blob.private.slice(), area: blob.public };
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    throw new TpmError('sealed_malformed', `${label}: tpm2-blob: ${cause.message}`, { cause });
  }
}

function spkiIn(fields: JsonFields, label: string): Uint8Array {
  try {
    const [block] = parsePem(parseUtf8(fields.base64('tpm2_pubkey')), 'PUBLIC KEY');
    if (block !== undefined) return block.bytes;
  } catch (cause) {
    if (!(cause instanceof PkiError || cause instanceof TextError)) throw cause;
  }
  throw new TpmError('sealed_malformed', `${label}: tpm2_pubkey: expected a public key in PEM`);
}

function signedIn(fields: JsonFields, bank: TpmHash): PcrSelection[] {
  return [{ bank, pcrs: fields.pcrs('tpm2_pubkey_pcrs') }];
}

/**
 * The token's JSON, as systemd-cryptenroll 252 writes it.
 * @throws {TpmError} 'argument_invalid' for what such a token cannot say: several banks, another parent.
 */
export function systemdTokenOf({ sealed, keyslots }: SystemdToken): Record<string, unknown> & {
  readonly type: string;
  readonly keyslots: readonly string[];
} {
  const { area, private: wrapped, parent, policy } = sealed;
  const selections = [...(policy.pcrs ?? []), ...(policy.signedPcrs?.pcrs ?? [])];
  const banks = new Set(selections.map(({ bank }) => bank));
  const isPlain = parent.template === 'plain' && parent.hash === 'sha256' && policy.hash === 'sha256';
  if (!isPlain || banks.size > 1 || (policy.pcrs?.length ?? 0) > 1) {
    throw new TpmError('argument_invalid', 'expected PCRs of one bank under the key that systemd uses');
  }
  const [bank = 'sha256'] = banks;
  const { authPolicy } = area.value;
  return {
    type: SYSTEMD_TOKEN_TYPE,
    keyslots,
    'tpm2-blob': encodeBase64(concatBytes(encode(blobStruct, { private: wrapped, public: area }))),
    'tpm2-pcrs': policy.pcrs?.[0]?.pcrs ?? [],
    'tpm2-pcr-bank': formatBank(bank),
    'tpm2-primary-alg': parent.key,
    'tpm2-policy-hash': toHex(authPolicy),
    'tpm2-pin': policy.withPin,
    ...(policy.signedPcrs === undefined
      ? {}
      : {
          tpm2_pubkey_pcrs: policy.signedPcrs.pcrs[0]?.pcrs ?? [],
          tpm2_pubkey: encodeBase64(utf8(formatPem('PUBLIC KEY', policy.signedPcrs.spki))),
        }),
  };
}

/** What a PIN becomes as an authValue: its SHA-256 without zeros at the end. systemd, tpm2-util.c (hash_pin). */
export function systemdPinAuth(pin: string): Uint8Array {
  const hash = digest('sha256', utf8(pin));
  let size = hash.length;
  while (size > 0 && hash[size - 1] === 0) size--;
  return hash.slice(0, size);
}

/** What opens the key slot: the sealed octets in base64, as text. systemd, src/cryptenroll/cryptenroll-tpm2.c. */
export function systemdSlotPassphrase(secret: Uint8Array): Uint8Array {
  return utf8(encodeBase64(secret));
}
