// SPDX-License-Identifier: Apache-2.0
import { concatBytes, parseUtf8, TextError, toHex, utf8 } from '@vouchsafe/base';
import { CodecError, decode, encode, optional, struct } from '@vouchsafe/codec';
import { digest, pbkdf2 } from '@vouchsafe/crypto';
import { encodeBase64, formatPem, PkiError, parsePem } from '@vouchsafe/pki';
import { trimAuth } from '../entity.ts';
import { TpmError } from '../error.ts';
import type { PcrSelection } from '../pcr-selection.ts';
import { formatBank, type TpmHash } from '../structures/algorithm.ts';
import { esysKey } from '../structures/esys-resource.ts';
import { handleType, TPM_HT } from '../structures/handle.ts';
import { tpm2bPublic } from '../structures/public.ts';
import { tpm2bEncryptedSecret, tpm2bPrivate } from '../structures/sensitive.ts';
import { JsonFields } from './json-fields.ts';
import type { SealParent } from './parent.ts';
import { pcrlockIndexIn } from './pcrlock.ts';
import type { SealedObject } from './seal.ts';
import type { SealPolicy } from './seal-policy.ts';

/**
 * What a blob of tpm2-blob holds: the private part, the public one, and of an object that was made without the TPM the seed.
 * systemd, src/shared/tpm2-util.c (tpm2_marshal_blob).
 */
const blobStruct = struct('tpm2-blob', {
  private: tpm2bPrivate,
  public: tpm2bPublic,
  seed: optional(tpm2bEncryptedSecret),
});

/** A LUKS2 token of systemd-cryptenroll: sealed objects and the key slots that they open. */
export interface SystemdToken {
  /**
   * One; or two, whose secrets follow one another: since 257 a secret under signed PCRs and a pcrlock policy is in two
   * parts, one under each.
   */
  readonly shards: readonly SealedObject[];
  readonly keyslots: readonly string[];
  /** Since 253 the PIN is not hashed as it is: see `systemdPinAuth`. */
  readonly pinSalt?: Uint8Array;
}

export const SYSTEMD_TOKEN_TYPE = 'systemd-tpm2';
/** PCR banks that systemd writes by name. */
const BANKS = ['sha1', 'sha256', 'sha384', 'sha512'] as const satisfies readonly TpmHash[];

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  'tpm2-blob',
  'tpm2-pcrs',
  'tpm2-pcr-bank',
  'tpm2-primary-alg',
  'tpm2-policy-hash',
  'tpm2-pin',
  'tpm2_pubkey_pcrs',
  'tpm2_pubkey',
  'tpm2_salt',
  'tpm2_srk',
  'tpm2_pcrlock',
  'tpm2_pcrlock_nv',
]);

/**
 * A token of type systemd-tpm2, as version 252 and later ones write it. systemd, src/shared/tpm2-util.c (tpm2_parse_luks2_json,
 * tpm2_unseal). A field that is not known here would be a part of the policy that is not either: it is refused by name.
 * @throws {TpmError} 'sealed_malformed'
 */
export function parseSystemdToken(value: unknown, label: string): SystemdToken {
  const fields = JsonFields.of(value, label);
  fields.oneOf('type', [SYSTEMD_TOKEN_TYPE]);
  for (const name of fields.names()) {
    if (!/^tpm2[-_]/.test(name) || KNOWN_FIELDS.has(name) || !fields.flag(name)) continue;
    throw new TpmError('sealed_malformed', `${label}: ${name} is not known here; open it with systemd-cryptsetup`);
  }
  const bank = fields.has('tpm2-pcr-bank') ? fields.oneOf('tpm2-pcr-bank', BANKS) : 'sha256';
  const pcrs = fields.pcrs('tpm2-pcrs');
  const parent = parentIn(fields);
  const common: SealPolicy = {
    hash: 'sha256',
    ...(pcrs.length === 0 ? {} : { pcrs: [{ bank, pcrs }] }),
    withPin: fields.has('tpm2-pin') && fields.boolean('tpm2-pin'),
  };
  const policies = policiesIn(fields, label, bank, common);
  const blobs = fields.base64List('tpm2-blob');
  if (blobs.length !== policies.length) {
    throw fields.error('tpm2-blob', `${policies.length}: one for signed PCRs, one for pcrlock; found ${blobs.length}`);
  }
  const salt = fields.has('tpm2_salt') ? fields.base64('tpm2_salt') : undefined;
  return {
    keyslots: fields.strings('keyslots'),
    shards: policies.map((policy, i) => ({ ...blobIn(blobs[i] as Uint8Array, label), parent, policy })),
    ...(salt === undefined || salt.length === 0 ? {} : { pinSalt: salt }),
  };
}

/** The policy of each shard. PCRs and PIN are in all of them. systemd, tpm2-util.c (tpm2_unseal of 257). */
function policiesIn(fields: JsonFields, label: string, bank: TpmHash, common: SealPolicy): SealPolicy[] {
  const hasPcrlock = fields.has('tpm2_pcrlock') && fields.boolean('tpm2_pcrlock');
  const signed: SealPolicy[] = fields.has('tpm2_pubkey')
    ? [{ ...common, signedPcrs: { spki: spkiIn(fields, label), pcrs: signedIn(fields, bank) } }]
    : [];
  const locked: SealPolicy[] = hasPcrlock ? [{ ...common, pcrlock: pcrlockIndexIn(fields, 'tpm2_pcrlock_nv') }] : [];
  const policies = [...signed, ...locked];
  return policies.length === 0 ? [common] : policies;
}

/** Since 254 the key at a persistent handle; before, one that is made anew. */
function parentIn(fields: JsonFields): SealParent {
  if (!fields.has('tpm2_srk')) {
    const key = fields.has('tpm2-primary-alg') ? fields.oneOf('tpm2-primary-alg', ['ecc', 'rsa']) : 'ecc';
    return { template: 'plain', key, hash: 'sha256' };
  }
  try {
    const { handle, public: area } = decode(esysKey, fields.base64('tpm2_srk'));
    if (handleType(handle) === TPM_HT.persistent) return { template: 'persistent', handle, area };
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    throw fields.error('tpm2_srk', `a serialized key (${cause.message})`);
  }
  throw fields.error('tpm2_srk', 'a key at a persistent handle');
}

function blobIn(bytes: Uint8Array, label: string) {
  try {
    const { private: wrapped, public: area, seed } = decode(blobStruct, bytes);
    return { private: wrapped.slice(), area, ...(seed === undefined ? {} : { seed: seed.slice() }) };
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
 * The token's JSON, as systemd-cryptenroll 252 writes it and every later version reads it.
 * @throws {TpmError} 'argument_invalid' for what such a token cannot say: several banks, another parent, a pcrlock policy.
 */
export function systemdTokenOf({ shards, keyslots, pinSalt }: SystemdToken): Record<string, unknown> & {
  readonly type: string;
  readonly keyslots: readonly string[];
} {
  const [shard, ...more] = shards;
  if (shard === undefined || more.length > 0 || pinSalt !== undefined || shard.seed !== undefined) {
    throw new TpmError('argument_invalid', 'expected one sealed object of this TPM, and a PIN without a salt');
  }
  const { area, private: wrapped, parent, policy } = shard;
  const selections = [...(policy.pcrs ?? []), ...(policy.signedPcrs?.pcrs ?? [])];
  const banks = new Set(selections.map(({ bank }) => bank));
  const isPlain = parent.template === 'plain' && parent.hash === 'sha256' && policy.hash === 'sha256';
  if (!isPlain || policy.pcrlock !== undefined || banks.size > 1 || (policy.pcrs?.length ?? 0) > 1) {
    throw new TpmError('argument_invalid', 'expected PCRs of one bank under the key that systemd uses');
  }
  const [bank = 'sha256'] = banks;
  const { authPolicy } = area.value;
  return {
    type: SYSTEMD_TOKEN_TYPE,
    keyslots,
    'tpm2-blob': encodeBase64(concatBytes(encode(blobStruct, { private: wrapped, public: area, seed: undefined }))),
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

/** systemd, src/shared/tpm2-util.h (PBKDF2_HMAC_SHA256_ITERATIONS). */
const PIN_ITERATIONS = 10_000;

/**
 * What a PIN becomes as an authValue: its SHA-256 without zeros at the end. Where the token has a salt, the PIN is the text in
 * base64 of PBKDF2 over PIN and salt instead. systemd, tpm2-util.c (tpm2_get_pin_auth), src/cryptsetup/cryptsetup-tpm2.c.
 */
export function systemdPinAuth(pin: string, salt?: Uint8Array): Uint8Array {
  const text = salt === undefined ? pin : encodeBase64(pbkdf2('sha256', utf8(pin), salt, PIN_ITERATIONS, 32));
  return trimAuth(digest('sha256', utf8(text))).slice();
}

/** What opens the key slot: the sealed octets in base64, as text. systemd, src/cryptenroll/cryptenroll-tpm2.c. */
export function systemdSlotPassphrase(secret: Uint8Array): Uint8Array {
  return utf8(encodeBase64(secret));
}
