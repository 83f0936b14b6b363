// SPDX-License-Identifier: Apache-2.0
import { type Finding, toHex } from '@vouchsafe/base';
import type { BlockSet } from './block-set.ts';
import type { VerityReport } from './verify.ts';

export type VerityFindingCode =
  | 'verity_root_mismatch' // the top of the tree does not have the expected root hash
  | 'verity_data_corrupt' // data blocks differ from the tree
  | 'verity_hash_corrupt' // hash blocks differ from the tree above them
  | 'verity_unjudged' // data blocks that nothing can be said about
  | 'verity_spare_in_use' // something other than zeros behind the digests of a hash block
  | 'verity_more'; // more damage than is listed

/** What the data and the tree are called. */
export interface VerityNames {
  readonly data: string;
  readonly hash: string;
}

const REPAIR = '`verity repair` mends it if there is parity.';

/**
 * A report as findings, one for each run of blocks, the tree from the top down and then the data.
 * @param rootHash the one that was expected.
 * @param nextStep what to do about damaged blocks; after a repair another than before it.
 */
export function verityFindings(
  report: VerityReport,
  rootHash: Uint8Array,
  names: VerityNames,
  nextStep: string = REPAIR,
): Finding<VerityFindingCode>[] {
  const findings: Finding<VerityFindingCode>[] = [];
  const isTreeWhole = report.corruptHash.every((set) => set.count === 0);
  if (!report.rootMatches) {
    findings.push({
      code: 'verity_root_mismatch',
      severity: 'error',
      where: { artefact: report.corruptHash.length > 0 ? names.hash : names.data },
      expected: toHex(rootHash),
      actual: toHex(report.actualRootHash),
      hint:
        isTreeWhole && report.corruptHash.length > 0
          ? 'Either the top hash block is damaged, or this is the root hash of another image or version.'
          : 'The root hash belongs to other data.',
    });
  }
  for (let level = report.corruptHash.length - 1; level >= 0; level--) {
    findings.push(
      ...runFindings(
        report.corruptHash[level] as BlockSet,
        'verity_hash_corrupt',
        { artefact: names.hash, path: `level ${level}` },
        `Damaged or changed; the data below cannot be checked. ${nextStep}`,
      ),
      ...runFindings(
        report.spareInUse[level] as BlockSet,
        'verity_spare_in_use',
        { artefact: names.hash, path: `level ${level}` },
        'Whoever made the tree left something behind the digests. The root hash covers it, the kernel passes over it.',
      ),
    );
  }
  findings.push(
    ...runFindings(
      report.corruptData,
      'verity_data_corrupt',
      { artefact: names.data },
      `Damaged or changed; the kernel will answer reads of it with an error. ${nextStep}`,
    ),
  );
  if (report.unjudgedDataBlocks > 0) {
    findings.push({
      code: 'verity_unjudged',
      severity: 'error',
      where: { artefact: names.data, blocks: report.unjudgedDataBlocks },
      hint: 'Nothing can be said about these data blocks, as a hash block above them is not the right one.',
    });
  }
  return findings;
}

function runFindings(
  set: BlockSet,
  code: VerityFindingCode,
  where: { readonly artefact: string; readonly path?: string },
  hint: string,
): Finding<VerityFindingCode>[] {
  const findings: Finding<VerityFindingCode>[] = set.runs.map(({ first, end }) => ({
    code,
    severity: 'error',
    where: { ...where, block: first, blocks: end - first },
    hint,
  }));
  if (set.isTruncated) {
    findings.push({
      code: 'verity_more',
      severity: 'error',
      where: { ...where, blocks: set.count - set.listedCount },
      hint: 'More blocks than are listed here; some may only lie under a damaged hash block.',
    });
  }
  return findings;
}
