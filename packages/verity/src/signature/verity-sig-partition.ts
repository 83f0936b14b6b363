// SPDX-License-Identifier: Apache-2.0
import { HexError, parseHex, parseUtf8, TextError, toHex, utf8 } from '@vouchsafe/base';
import { encodeBase64, PkiError, parseBase64 } from '@vouchsafe/pki';
import { VerityError } from '../error.ts';
import { parseJsonObject } from './json-object.ts';

/** Size that systemd-repart gives a verity-sig partition, in octets. src/repart/repart.c, VERITY_SIG_SIZE. */
export const VERITY_SIG_SIZE_BYTES = 16 * 1024;
/** What systemd reads at most. src/shared/dissect-image.c, dissected_image_load_verity_sig_partition. */
export const MAX_VERITY_SIG_SIZE_BYTES = 4 * 1024 * 1024;

const FINGERPRINT_BYTES = 32;
const MAX_ROOT_HASH_BYTES = 64;
const WHAT = 'verity-sig partition';

/** What a verity-sig partition says. UAPI.2 Discoverable Partitions, "Verity". Nothing in it is verified. */
export interface VeritySigPartition {
  readonly rootHash: Uint8Array;
  /** SHA-256 of the signer's certificate in DER; a hint for finding it. */
  readonly certificateFingerprint: Uint8Array | undefined;
  /** CMS in DER, detached, over the root hash. */
  readonly signature: Uint8Array;
}

/**
 * The partition's bytes as systemd-repart writes them: compact JSON, then zeros.
 * @param sizeBytes of the partition.
 * @throws {VerityError} 'options_invalid' when it does not fit, systemd would not read so much, or a length is wrong.
 */
export function encodeVeritySigPartition(
  { rootHash, certificateFingerprint, signature }: VeritySigPartition,
  sizeBytes: number = VERITY_SIG_SIZE_BYTES,
): Uint8Array {
  const problem = lengthProblem(rootHash, certificateFingerprint);
  if (problem !== undefined) throw new VerityError('options_invalid', `${WHAT}: ${problem}`);
  const text = JSON.stringify({
    rootHash: toHex(rootHash),
    ...(certificateFingerprint === undefined ? {} : { certificateFingerprint: toHex(certificateFingerprint) }),
    signature: encodeBase64(signature),
  });
  const json = utf8(text);
  if (!(Number.isInteger(sizeBytes) && sizeBytes >= json.length && sizeBytes <= MAX_VERITY_SIG_SIZE_BYTES)) {
    const range = `${json.length} to ${MAX_VERITY_SIG_SIZE_BYTES}`;
    throw new VerityError('options_invalid', `${WHAT}: expected a size of ${range} octets, found ${sizeBytes}`);
  }
  const bytes = new Uint8Array(sizeBytes);
  bytes.set(json);
  return bytes;
}

/**
 * By systemd's rules: at most 4 MiB, only zeros after the first, names not known here passed over. Stricter than systemd
 * where readers could differ: each name once, base64 and hexadecimal without white space.
 * @throws {VerityError} 'signature_malformed'.
 */
export function decodeVeritySigPartition(bytes: Uint8Array): VeritySigPartition {
  const members = parseJsonObject(textOf(bytes), WHAT);
  const rootHash = bytesOf(members, 'rootHash', parseHex);
  const certificateFingerprint = members.has('certificateFingerprint')
    ? bytesOf(members, 'certificateFingerprint', parseHex)
    : undefined;
  const signature = bytesOf(members, 'signature', parseBase64);
  const problem = lengthProblem(rootHash, certificateFingerprint);
  if (problem !== undefined) throw malformed(problem);
  return { rootHash, certificateFingerprint, signature };
}

function lengthProblem(rootHash: Uint8Array, certificateFingerprint: Uint8Array | undefined): string | undefined {
  if (rootHash.length === 0 || rootHash.length > MAX_ROOT_HASH_BYTES) {
    return `expected a rootHash of 1 to ${MAX_ROOT_HASH_BYTES} octets, found ${rootHash.length}`;
  }
  if (certificateFingerprint !== undefined && certificateFingerprint.length !== FINGERPRINT_BYTES) {
    return `expected a certificateFingerprint of ${FINGERPRINT_BYTES} octets, found ${certificateFingerprint.length}`;
  }
  return undefined;
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length > MAX_VERITY_SIG_SIZE_BYTES) {
    throw malformed(`expected at most ${MAX_VERITY_SIG_SIZE_BYTES} octets, found ${bytes.length}`);
  }
  const end = bytes.indexOf(0);
  const json = end === -1 ? bytes : bytes.subarray(0, end);
  const rest = bytes.subarray(json.length).findIndex((byte) => byte !== 0);
  if (rest !== -1) throw malformed(`expected only zeros after the JSON, found another octet at ${json.length + rest}`);
  try {
    return parseUtf8(json);
  } catch (cause) {
    if (!(cause instanceof TextError)) throw cause;
    throw malformed('expected UTF-8', { cause });
  }
}

function bytesOf(members: ReadonlyMap<string, unknown>, name: string, parse: (text: string) => Uint8Array): Uint8Array {
  const value = members.get(name);
  if (typeof value !== 'string') {
    throw malformed(
      `expected ${name} as a string, found ${value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 40)}`,
    );
  }
  try {
    return parse(value);
  } catch (cause) {
    if (!(cause instanceof HexError || cause instanceof PkiError)) throw cause;
    throw malformed(`${name}: ${cause.message}`, { cause });
  }
}

function malformed(message: string, options?: ErrorOptions): VerityError {
  return new VerityError('signature_malformed', `${WHAT}: ${message}`, options);
}
