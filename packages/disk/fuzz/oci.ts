// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, toHex, utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import { selectOciImage } from '@vouchsafe/disk';
import type { FuzzTarget } from '@vouchsafe/testing';

const CONFIG = '{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:D"]}}';
const MANIFEST =
  '{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"C","size":1},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:D","size":5}]}';
const INDEX =
  '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"M","size":1,"platform":{"os":"linux","architecture":"amd64"}}]}';
const SEPARATOR = '\n';

/**
 * Index, manifest and configuration, a line each. The letters stand for the digests, which are made to fit, or nothing behind
 * the first would ever be looked at.
 */
export const target: FuzzTarget = {
  name: 'disk-oci',
  seeds: () => [utf8([INDEX, MANIFEST, CONFIG].join(SEPARATOR))],
  run(bytes) {
    const [index = '', manifest = '', config = ''] = Buffer.from(bytes).toString('utf8').split(SEPARATOR);
    const files = new Map<string, Uint8Array>([['oci-layout', utf8('{"imageLayoutVersion":"1.0.0"}')]]);
    const put = (text: string): readonly [digest: string, size: number] => {
      const content = utf8(text);
      const hex = toHex(digest('sha256', content));
      files.set(`blobs/sha256/${hex}`, content);
      return [`sha256:${hex}`, content.length];
    };
    const fill = (text: string, letter: string, [found, size]: readonly [string, number]): string =>
      text.replace(`"${letter}","size":1`, `"${found}","size":${size}`);
    const layer = '0'.repeat(64);
    const manifestText = fill(manifest, 'C', put(config.replace('sha256:D', `sha256:${layer}`))).replace(
      'sha256:D',
      `sha256:${layer}`,
    );
    files.set('index.json', utf8(fill(index, 'M', put(manifestText))));
    const blobs = {
      label: 'layout',
      open: (path: string) => {
        const content = files.get(path);
        return content === undefined ? undefined : memorySource(content, path);
      },
    };
    const image = selectOciImage(blobs, { platform: { os: 'linux', architecture: 'amd64' } });
    if (parseUtf8(utf8(image.manifestDigest)).length !== 71) throw new Error('a manifest without its digest');
  },
};
