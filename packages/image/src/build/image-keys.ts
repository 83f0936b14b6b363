// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Bank } from '@vouchsafe/manifest';
import type { Signer } from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';

/** What an image is signed with. */
export interface ImageKeys {
  readonly db: Signer;
  readonly verity: Signer;
  readonly manifest: Signer;
  /** As a signer of each bank's hash that policies are signed in. */
  readonly pcr: ReadonlyMap<Bank, Signer>;
}

/** A folder of `keys generate`. @throws {PkiError} */
export async function openImageKeys(folder: string): Promise<ImageKeys> {
  const signer = (name: string, withCertificate = true): Promise<Signer> =>
    openKeyFileSigner({
      keyPath: join(folder, `${name}.key`),
      ...(withCertificate ? { certificatePath: join(folder, `${name}.crt`) } : {}),
    });
  return {
    db: await signer('db'),
    verity: await signer('verity'),
    manifest: await signer('manifest', false),
    pcr: new Map([['sha256', await signer('pcr', false)]]),
  };
}
