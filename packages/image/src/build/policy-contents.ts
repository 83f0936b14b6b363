// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { SpoolFile } from '@vouchsafe/disk/node';
import type { Bank } from '@vouchsafe/manifest';
import { formatPcrSignatures, predictPcr11, signPcrPolicies } from '@vouchsafe/measure';
import { buildUki, openPe, type UkiContents } from '@vouchsafe/pe';
import { formatPem, type Signer } from '@vouchsafe/pki';

/**
 * The contents with the public key that signs PCR policies and with its signatures for the PCR 11 that they lead to, so that
 * what is sealed to the key opens on this image.
 * @param phases boot phase paths in which it opens; the empty one is the moment when the kernel has started.
 * @throws {MeasureError} @throws {PeError} @throws {PkiError}
 */
export async function policyContents(
  stub: ByteSource,
  contents: UkiContents,
  signers: ReadonlyMap<Bank, Signer>,
  phases: readonly string[],
  spoolFolder?: string,
): Promise<UkiContents> {
  const [first] = signers.values();
  if (first === undefined) return contents;
  const withKey = { ...contents, pcrpkey: utf8(formatPem('PUBLIC KEY', first.spki)) };
  using unsigned = SpoolFile.create('UKI without policies', spoolFolder);
  await buildUki(openPe(stub), withKey, unsigned);
  const uki = openPe(unsigned.source());
  const request = { banks: [...signers.keys()], phases };
  const signatures = await signPcrPolicies(predictPcr11(uki, request), signers);
  return { ...withKey, pcrsig: utf8(formatPcrSignatures(signatures)) };
}
