// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readUnverifiedManifest } from '@vouchsafe/manifest';
import { encodeBase64url, type ImageReferenceRecord, imageReference } from '@vouchsafe/protocol';
import { readSmallFile } from '../parse.ts';
import type { ServiceClient } from '../service/service-client.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

interface Options extends ServiceOptions {
  readonly activate?: boolean;
}

export const add: Verb = {
  define(command, session) {
    command
      .description(
        'Adds manifests, and the lists that lie beside them as image build writes them. A manifest counts when it is active.',
      )
      .argument('<MANIFEST...>', 'signed manifests, by a key that trust add has named')
      .option('--activate', 'machines that boot these images are good from now on');
    addServiceOptions(command, 'reference add out/edge_0.1.0.manifest.json --activate').action(
      async (paths: readonly string[], options: Options) => {
        const added = await withService(options, async (client) => {
          const records: ImageReferenceRecord[] = [];
          for (const path of paths) records.push(await addManifest(client, path, options.activate === true, session));
          return records;
        });
        session.answer(
          added.map(({ name, version, life, sha256 }) => `${name} ${version}: ${life}, ${sha256}`).join('\n'),
          added,
        );
      },
    );
  },
};

/** The lists go before the manifest becomes active: until then files that IMA measures would be unknown. */
async function addManifest(
  client: ServiceClient,
  path: string,
  isActive: boolean,
  session: Session,
): Promise<ImageReferenceRecord> {
  const envelope = readSmallFile(path);
  const manifest = readUnverifiedManifest(envelope);
  const { sha256 } = await client.send(imageReference, 'POST', '/v1/references', {
    envelope: encodeBase64url(envelope),
  });
  for (const part of manifest.parts) {
    const file = join(dirname(path), part.path);
    if (existsSync(file)) {
      const bytes = encodeBase64url(readSmallFile(file, 16 * 1024 * 1024));
      await client.act('PUT', `/v1/references/${sha256}/parts`, { bytes });
    } else session.note(`${file}: not there, so that files of the ${part.of} are not known to the service`);
  }
  if (isActive) await client.act('POST', `/v1/references/${sha256}/activate`, {});
  return await client.get(imageReference, `/v1/references/${sha256}`);
}
