// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, utf8 } from '@vouchsafe/base';
import { encodeCorim, encodeManifest, ManifestError, parseManifest, readUnverifiedManifest } from '@vouchsafe/manifest';
import type { FuzzTarget } from '@vouchsafe/testing';
import { sample } from '../test/support.ts';

const envelope = (payload: Uint8Array): Uint8Array => {
  const signatures = [{ keyid: '00', sig: 'AAAA' }];
  const payloadType = 'application/vnd.vouchsafe.manifest+json';
  return utf8(JSON.stringify({ payloadType, payload: Buffer.from(payload).toString('base64'), signatures }));
};

/** A manifest, bare or in an envelope, of any octets: one that is written back the same, or a ManifestError. */
export const target: FuzzTarget = {
  name: 'manifest',
  seeds: () => {
    const bytes = encodeManifest(sample());
    return [bytes, envelope(bytes)];
  },
  run(bytes) {
    try {
      const manifest = parseManifest(bytes);
      // A newer minor form may hold what this one cannot write.
      if (manifest.format.minor === 0 && !bytesEqual(encodeManifest(manifest), bytes)) {
        throw new Error('a manifest that is accepted is written back the same');
      }
      encodeCorim(manifest);
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
    }
    try {
      readUnverifiedManifest(bytes);
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
    }
  },
};
