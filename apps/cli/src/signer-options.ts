// SPDX-License-Identifier: Apache-2.0
import { parseUtf8 } from '@vouchsafe/base';
import type { Certificate, Signer } from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import type { Command } from 'commander';
import { readSmallFile } from './parse.ts';

/** Which key signs. */
export interface SignerOptions {
  readonly key: string;
  readonly certificate: string;
  readonly passphraseFile?: string;
}

export function addSignerOptions(command: Command): Command {
  return command
    .requiredOption('--key <file>', 'private key, PEM or DER')
    .requiredOption('--certificate <file>', 'its certificate, PEM or DER')
    .option('--passphrase-file <file>', 'file with the pass phrase of an encrypted key, - for standard input');
}

/** @throws {PkiError} when the key or certificate cannot be used, or do not belong together. */
export async function openSigner(
  options: SignerOptions,
): Promise<{ readonly signer: Signer; readonly certificate: Certificate }> {
  const { passphraseFile } = options;
  const passphrase = passphraseFile && parseUtf8(readSmallFile(passphraseFile)).replace(/\r?\n$/, '');
  const signer = await openKeyFileSigner({
    keyPath: options.key,
    certificatePath: options.certificate,
    ...(passphrase === undefined ? {} : { passphrase }),
  });
  return { signer, certificate: signer.certificate as Certificate };
}
