// SPDX-License-Identifier: Apache-2.0
import { concatBytes, parseUtf8 } from '@vouchsafe/base';
import { BytesError } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { readLuks2 } from '@vouchsafe/disk';
import {
  decryptClevisJwe,
  type PcrValue,
  parseClevisJwe,
  parseSealedFile,
  parseSystemdToken,
  type SealedObject,
  SYSTEMD_TOKEN_TYPE,
  systemdSlotPassphrase,
} from '@vouchsafe/tpm';
import { readSmallFile } from '../parse.ts';
import { UsageError } from '../usage-error.ts';

/** A sealed secret, and how what it opens to becomes what was sealed. */
export interface SealedInput {
  /** One, or the parts of the secret in their order. */
  readonly shards: readonly SealedObject[];
  /** Where the file says it. */
  readonly sealedTo: readonly PcrValue[];
  readonly pinSalt?: Uint8Array;
  readonly finish: (secrets: readonly Uint8Array[]) => Uint8Array;
}

/**
 * Opens a sealed secret of any kind, by its content.
 * @throws {TpmError} 'sealed_malformed'; {BytesError} what the host refuses, 'not_found' for a volume without such a token;
 * {UsageError} for one with several
 */
export function openSealed(path: string, tokenNumber: number | undefined): SealedInput {
  if (isLuks(headOf(path))) return openToken(path, tokenNumber);
  const text = parseUtf8(readSmallFile(path)).trim();
  if (text.startsWith('{')) {
    const { sealed, sealedTo } = parseSealedFile(text, path);
    return { shards: [sealed], sealedTo, finish: (secrets) => concatBytes(...secrets) };
  }
  const jwe = parseClevisJwe(text, path);
  const finish = (jwk: readonly Uint8Array[]) => decryptClevisJwe(jwe, concatBytes(...jwk), path);
  return { shards: [jwe.sealed], sealedTo: [], finish };
}

function headOf(path: string): Uint8Array {
  using source = FileSource.open(path);
  const head = new Uint8Array(Math.min(source.size, 6));
  source.read(0, head);
  return head;
}

const isLuks = ([a, b, c, d, e, f]: Uint8Array): boolean =>
  a === 0x4c && b === 0x55 && c === 0x4b && d === 0x53 && e === 0xba && f === 0xbe;

function openToken(path: string, wanted: number | undefined): SealedInput {
  using source = FileSource.open(path);
  const tokens = Object.entries(readLuks2(source).metadata.tokens).filter(
    ([number, { type }]) => type === SYSTEMD_TOKEN_TYPE && (wanted === undefined || Number(number) === wanted),
  );
  const [first, ...more] = tokens;
  if (first === undefined)
    throw new BytesError('not_found', `${path}: expected a token ${SYSTEMD_TOKEN_TYPE}, found none`);
  if (more.length > 0) {
    const numbers = tokens.map(([number]) => number).join(', ');
    throw new UsageError(`${path}: it has several such tokens (${numbers}); choose one with --token`);
  }
  const { shards, pinSalt } = parseSystemdToken(first[1], `${path}: token ${first[0]}`);
  const finish = (secrets: readonly Uint8Array[]) => systemdSlotPassphrase(concatBytes(...secrets));
  return { shards, sealedTo: [], finish, ...(pinSalt === undefined ? {} : { pinSalt }) };
}
