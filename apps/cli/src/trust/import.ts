// SPDX-License-Identifier: Apache-2.0
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hostError } from '@vouchsafe/bytes/node';
import { type Certificate, decodeCertificates, PkiError, VENDOR_DER } from '@vouchsafe/pki';
import type { TrustRole } from '@vouchsafe/protocol';
import { readSmallFile } from '../parse.ts';
import { ServiceClientError } from '../service/error.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { roleOption } from './roles.ts';
import { sendTrust, trustText } from './send-trust.ts';

interface Options extends ServiceOptions {
  readonly for: TrustRole;
}

/** Files of a folder that are looked into: makers' collections have a few hundred. */
const MAX_FILES = 10_000;
const ENDINGS = /\.(pem|crt|cer|der|ca-bundle)$/i;

export const importVerb: Verb = {
  define(command, session) {
    command
      .description('Trusts all certificates of a folder, with what lies below it, or of a bundle.')
      .argument('<PATH>', 'a folder with .pem, .crt, .cer and .der files, or a file of PEM blocks')
      .addOption(roleOption());
    addServiceOptions(command, 'trust import --for tpm-maker makers').action(async (path: string, options: Options) => {
      const certificates = certificatesAt(path, session);
      const added = await withService(options, (client) => sendTrust(client, options.for, certificates));
      session.answer(trustText(added), added);
    });
  },
};

/** A file that is no certificate is named and passed over: makers' collections hold other things too. */
function certificatesAt(path: string, session: Session): Certificate[] {
  const files = filesAt(path);
  const certificates: Certificate[] = [];
  for (const file of files) {
    try {
      certificates.push(...decodeCertificates(readSmallFile(file), VENDOR_DER));
    } catch (error) {
      if (!(error instanceof PkiError) || files.length === 1) throw error;
      session.note(`${file}: passed over: ${error.message}`);
    }
  }
  if (certificates.length > 0) return certificates;
  throw new ServiceClientError('nothing_to_send', `${path}: expected certificates, found none`);
}

function filesAt(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const found = readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && ENDINGS.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    if (found.length <= MAX_FILES) return found;
    throw new ServiceClientError(
      'nothing_to_send',
      `${path}: expected at most ${MAX_FILES} files, found ${found.length}`,
    );
  } catch (cause) {
    if (cause instanceof ServiceClientError) throw cause;
    throw hostError(path, cause);
  }
}
