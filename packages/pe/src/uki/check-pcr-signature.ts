// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import type { KeySource } from '@vouchsafe/pki';
import { PeError } from '../error.ts';
import type { ImageSectionHeader } from '../format/section-header.ts';
import type { PeFile } from '../read/pe-file.ts';
import {
  isPcrSignatureBy,
  type PcrPublicKey,
  type PcrSignature,
  parsePcrPublicKey,
  parsePcrSignatures,
} from './pcr-signature.ts';
import { sectionText } from './section-text.ts';
import { finding, type UkiFinding } from './uki-finding.ts';

/**
 * Whether .pcrsig and .pcrpkey belong together. Whether the policies are those of this image is a matter of measuring it.
 * All are warnings: the image boots, and then nothing that was sealed to the key opens.
 */
export function checkPcrSignatures(
  pe: PeFile,
  sections: readonly ImageSectionHeader[],
  keys?: KeySource,
): UkiFinding[] {
  const named = (name: string): ImageSectionHeader | undefined => sections.find((section) => section.name === name);
  const [signed, keyed] = [named('.pcrsig'), named('.pcrpkey')];
  const where = (path: string) => ({ artefact: pe.source.label, path });
  if (signed === undefined && keyed === undefined) return [];
  let signatures: readonly PcrSignature[] | undefined;
  let key: PcrPublicKey | undefined;
  try {
    signatures = signed === undefined ? undefined : parsePcrSignatures(textOf(pe, signed));
    key = keyed === undefined ? undefined : parsePcrPublicKey(textOf(pe, keyed), keys);
  } catch (error) {
    if (!(error instanceof PeError)) throw error;
    const path = signed !== undefined && signatures === undefined ? '.pcrsig' : '.pcrpkey';
    return [finding('pcrsig_unusable', 'warning', where(path), { hint: `systemd cannot use it: ${error.message}` })];
  }
  if (signatures === undefined) {
    const hint =
      'secrets that are sealed to its key do not open; sign the image’s PCR policies into .pcrsig, or leave the key out';
    return [finding('pcrsig_alone', 'info', where('.pcrpkey'), { expected: '.pcrsig', actual: 'none', hint })];
  }
  if (key === undefined) {
    const hint = 'systemd does not learn the key from the image, so it has to be enrolled by hand; add .pcrpkey';
    return [finding('pcrsig_alone', 'info', where('.pcrsig'), { expected: '.pcrpkey', actual: 'none', hint })];
  }
  return checkAgainstKey(signatures, key, where('.pcrsig'));
}

function checkAgainstKey(
  signatures: readonly PcrSignature[],
  key: PcrPublicKey,
  where: UkiFinding['where'],
): UkiFinding[] {
  const own = signatures.filter(({ keyFingerprint }) => bytesEqual(keyFingerprint, key.fingerprint));
  if (own.length === 0) {
    const others = new Set(signatures.map(({ keyFingerprint }) => toHex(keyFingerprint)));
    const hint = 'nothing that is sealed to the key of .pcrpkey opens; sign the policies with that key';
    const actual = others.size === 0 ? 'no signatures' : [...others].slice(0, 4).join(', ');
    return [
      finding('pcrsig_other_key', 'warning', where, {
        expected: `signatures by ${toHex(key.fingerprint)}`,
        actual,
        hint,
      }),
    ];
  }
  const bad = own.filter((signature) => isPcrSignatureBy(signature, key) === false);
  const [first] = bad;
  if (first === undefined) return [];
  const actual = `${bad.length} of ${own.length} do not hold, first that of bank ${first.bank.slice(0, 40)}, policy ${toHex(first.policy)}`;
  const hint = 'the TPM refuses these policies; sign them again';
  return [finding('pcrsig_invalid', 'warning', where, { expected: 'signatures that hold', actual, hint })];
}

function textOf(pe: PeFile, section: ImageSectionHeader): string {
  const text = sectionText(pe, section);
  if (text === undefined) throw new PeError('pcrsig_malformed', `expected text in ${section.name}`);
  return text;
}
