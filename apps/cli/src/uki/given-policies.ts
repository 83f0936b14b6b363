// SPDX-License-Identifier: Apache-2.0
import { parseUtf8 } from '@vouchsafe/base';
import type { Bank } from '@vouchsafe/manifest';
import { checkPcrSignatures, type Pcr11Value, parsePcrSignatures, predictPcr11 } from '@vouchsafe/measure';
import type { PeFile, UkiContents } from '@vouchsafe/pe';
import { PkiError, parsePem } from '@vouchsafe/pki';
import { UsageError } from '../usage-error.ts';
import { findingsText } from '../verity/findings-text.ts';
import { machineChoices } from './machine-choices.ts';

/**
 * Holds policies that were signed elsewhere (--pcrsig) to the image that they are put into: each must be of a PCR 11 that it
 * leads to, and by the key in .pcrpkey. A .pcrsig of another build is refused here rather than by a TPM.
 * @param uki the image without them.
 * @throws {MeasureError} 'pcrsig_malformed'. @throws {UsageError} without a key, and for what does not belong to the image.
 */
export function requirePoliciesOf(
  uki: PeFile,
  { pcrsig, pcrpkey }: UkiContents,
  options: { readonly phases: readonly string[] | undefined },
): void {
  if (pcrsig === undefined) return;
  if (pcrpkey === undefined) {
    throw new UsageError(
      '--pcrsig goes with --pcrpkey or --pcr-public-key: systems look there for the key that signed',
    );
  }
  const [key] = parsePem(pcrpkey, 'PUBLIC KEY');
  if (key === undefined) throw new PkiError('key_invalid', '--pcrpkey: expected a public key in PEM, found none');
  const signatures = parsePcrSignatures(parseUtf8(pcrsig), '--pcrsig');
  const banks = [...new Set(signatures.map(({ bank }) => bank))];
  const { findings } = checkPcrSignatures(signatures, {
    artefact: '--pcrsig',
    spki: key.bytes,
    expected: expectedValues(uki, banks, options.phases),
  });
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new UsageError(`--pcrsig is not of this image:\n${findingsText(errors)}`);
}

function expectedValues(uki: PeFile, banks: readonly Bank[], phases: readonly string[] | undefined): Pcr11Value[] {
  return machineChoices(uki, 0).flatMap((choice) =>
    predictPcr11(uki, { ...choice, banks, ...(phases === undefined ? {} : { phases }) }),
  );
}
