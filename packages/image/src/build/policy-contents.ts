// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { SpoolFile } from '@vouchsafe/disk/node';
import type { Bank } from '@vouchsafe/manifest';
import { formatPcrSignatures, predictPcr11, signPcrPolicies } from '@vouchsafe/measure';
import { buildUki, openPe, type PeFile, type UkiContents } from '@vouchsafe/pe';
import { formatPem, type Signer } from '@vouchsafe/pki';

export interface PolicyChoice {
  /** As a signer of each bank's hash. */
  readonly signers: ReadonlyMap<Bank, Signer>;
  /** Boot phase paths in which it opens; the empty one is the moment when the kernel has started. */
  readonly phases: readonly string[];
}

/**
 * The contents with the public key that signs PCR policies and with its signatures for the PCR 11 that they lead to, so that
 * what is sealed to the key opens on this image.
 * @throws {MeasureError} @throws {PeError} @throws {PkiError}
 */
export async function policyContents(
  stub: ByteSource,
  contents: UkiContents,
  choice: PolicyChoice,
  spoolFolder?: string,
): Promise<UkiContents> {
  const withKey = contentsWithKey(contents, choice);
  if (withKey.pcrpkey === undefined) return contents;
  using unsigned = SpoolFile.create('UKI without policies', spoolFolder);
  await buildUki(openPe(stub), withKey, unsigned);
  return { ...withKey, pcrsig: await signedPolicies(openPe(unsigned.source()), choice) };
}

/** Contents of the same sizes, before anything is measured. @throws as `policyContents`. */
export async function plannedPolicyContents(
  stub: ByteSource,
  contents: UkiContents,
  choice: PolicyChoice,
): Promise<UkiContents> {
  const withKey = contentsWithKey(contents, choice);
  if (withKey.pcrpkey === undefined) return contents;
  // As many values as the image will have, and as long.
  return { ...withKey, pcrsig: await signedPolicies(openPe(stub), choice) };
}

function contentsWithKey(contents: UkiContents, { signers }: PolicyChoice): UkiContents {
  const [first] = signers.values();
  return first === undefined ? contents : { ...contents, pcrpkey: utf8(formatPem('PUBLIC KEY', first.spki)) };
}

async function signedPolicies(program: PeFile, { signers, phases }: PolicyChoice): Promise<Uint8Array> {
  const values = predictPcr11(program, { banks: [...signers.keys()], phases });
  return utf8(formatPcrSignatures(await signPcrPolicies(values, signers)));
}
