// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { generateKeyPair, type PrivateKey, publicKeyOf, signMessage } from '@vouchsafe/crypto/signing';
import {
  BANKS,
  type Bank,
  type BootCondition,
  type Manifest,
  makeManifest,
  type PredictedEvent,
} from '@vouchsafe/manifest';
import type { MessageSigner } from '@vouchsafe/pki';

export function event(pcr: number, text: string, banks: readonly Bank[] = BANKS): PredictedEvent {
  const digests = new Map(banks.map((bank) => [bank, digest(bank, utf8(text))]));
  return { pcr, description: text, origin: { artefact: 'uki.efi', section: '.linux', offset: 512 }, digests };
}

export const SECURE_BOOT: BootCondition = { secureBoot: 'on', loader: 'none', profile: 0 };

/** Two ways to boot that have all but one event in common. */
export function sample(banks: readonly Bank[] = ['sha256']): Manifest {
  const common = [event(4, 'the UKI', banks), event(11, 'the content of .linux', banks)];
  const phases = [{ phase: 'enter-initrd', events: [event(11, "boot phase 'enter-initrd'", banks)] }];
  return makeManifest({
    name: 'edge',
    version: '1.4.0',
    architecture: 'x86-64',
    artefacts: [{ path: 'edge_1.4.0.efi', kind: 'uki', sizeBytes: 42, sha256: '00'.repeat(32) }],
    roots: [{ mount: '/', algorithm: 'sha256', rootHash: '11'.repeat(32) }],
    boots: [
      { condition: SECURE_BOOT, covers: [12, 4, 11], events: common, phases },
      {
        condition: { ...SECURE_BOOT, secureBoot: 'off' },
        covers: [4, 11, 12],
        events: [...common, event(4, 'the kernel inside', banks)],
        phases,
      },
    ],
    banks,
  });
}

/** An Ed25519 key as `keys generate` makes one. */
export function makeSigner(): { readonly signer: MessageSigner; readonly privateKey: PrivateKey } {
  const { privateKey } = generateKeyPair('ed25519');
  const scheme = { kind: 'ed25519' } as const;
  const { spki } = publicKeyOf(privateKey);
  return {
    privateKey,
    signer: {
      input: 'message',
      scheme,
      spki,
      signMessage: async (message) => signMessage(privateKey, scheme, message),
    },
  };
}
