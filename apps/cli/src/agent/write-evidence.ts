// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { toHex, utf8 } from '@vouchsafe/base';
import { hostError, OutputFile } from '@vouchsafe/bytes/node';
import { decode } from '@vouchsafe/codec';
import { type Evidence, parseBase64url } from '@vouchsafe/protocol';
import { pemOf, tpmtPublic } from '@vouchsafe/tpm';

/**
 * Keeps evidence as files that `quote verify` reads: quote.attest, quote.signature, quote.pcrs, nonce, ak.pem, and of the logs
 * what was sent: firmware.log, userspace.log, ima.log.
 * @param attestationKey TPMT_PUBLIC, base64url.
 * @throws {BytesError}
 */
export function writeEvidence(folder: string, evidence: Evidence, attestationKey: string, force: boolean): void {
  const { quote, pcrs, logs } = evidence;
  const values = pcrs.map(({ bank, pcr, value }) => `${bank}:${pcr}:${toHex(parseBase64url(value))}\n`);
  const area = parseBase64url(attestationKey);
  const files: readonly (readonly [string, Uint8Array | undefined])[] = [
    ['quote.attest', parseBase64url(quote.attest)],
    ['quote.signature', parseBase64url(quote.signature)],
    ['quote.pcrs', utf8(values.join(''))],
    ['nonce', utf8(`${toHex(parseBase64url(evidence.nonce))}\n`)],
    ['ak.pem', utf8(pemOf(decode(tpmtPublic, area)))],
    ['firmware.log', octets(logs.firmware.bytes)],
    ['userspace.log', octets(logs.userspace)],
    ['ima.log', octets(logs.ima?.bytes)],
  ];
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw hostError(folder, cause);
  }
  for (const [name, bytes] of files) {
    if (bytes === undefined) continue;
    using file = OutputFile.create(join(folder, name), { force });
    file.write(0, bytes);
    file.commit();
  }
}

/** Megabytes: the decoder of packages that run everywhere reads single characters. */
const octets = (text: string | undefined): Uint8Array | undefined =>
  text === undefined ? undefined : Uint8Array.from(Buffer.from(text, 'base64url'));
