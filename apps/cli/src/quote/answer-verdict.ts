// SPDX-License-Identifier: Apache-2.0
import type { AppraisalFinding, VerdictStatus } from '@vouchsafe/appraise';
import type { Finding } from '@vouchsafe/base';
import { conditionText } from '@vouchsafe/manifest';
import type { AttestationKeyFindingCode } from '@vouchsafe/tpm';
import { EXIT } from '../exit-code.ts';
import { explainedLine, explanationDocument } from '../log/explanation-text.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import type { FileVerdict } from './appraise-files.ts';

type VerdictFinding = AppraisalFinding | Finding<AttestationKeyFindingCode>;

/**
 * Says the verdict; the exit status is 0 for an affirming one alone, unless warnings are accepted. What is wrong with the
 * key, or a manifest that nobody signed, weighs as heavily as what is wrong with the boot.
 */
export function answerVerdict(
  session: Session,
  { verdict, bank, explained, manifest }: FileVerdict,
  keyFindings: readonly Finding<AttestationKeyFindingCode>[],
  acceptWarnings: boolean,
): void {
  const status = statusOf(verdict.status, keyFindings.length > 0, manifest.isVerified);
  const isGood = status === 'affirming' || (status === 'warning' && acceptWarnings);
  if (!isGood) session.exitCode = EXIT.no;
  const { name, version } = manifest.manifest;
  const findings: readonly VerdictFinding[] = [...keyFindings, ...verdict.findings];
  // An explanation is of the log's words: worth reading where the log is the quote's, and something in it is not as it should be.
  const odd = explained.events.filter(({ judgement }) => judgement === 'unexpected' || judgement === 'missing');
  const isBelieved = verdict.events.length > 0;
  const lines = [
    `${status}: ${WORDS[status]}`,
    `${isBelieved && odd.length === 0 ? 'booted' : 'compared with'} ${name} ${version}, ${conditionText(explained.boot.condition)} (${bank})`,
    ...(manifest.isVerified ? [] : ["nobody vouches for the manifest: name its signer's key with --key"]),
    ...findingLines(findings),
    ...(isBelieved && odd.length > 0 ? ['', ...odd.map((event) => explainedLine(event, bank))] : []),
  ];
  session.answer(printable(lines.join('\n')), {
    isGood,
    status,
    findings,
    judged: verdict.events.map(({ pcr, event, judgement }) => ({
      pcr,
      judgement,
      ...(event === undefined ? {} : { event }),
    })),
    explanation: explanationDocument(explained, manifest.isVerified),
  });
}

const WORDS: Readonly<Record<VerdictStatus, string>> = {
  affirming: 'everything that was measured is known, and as it should be',
  warning: 'nothing is wrong, and not everything is known',
  contraindicated: 'this boot is NOT as it should be',
};

function statusOf(status: VerdictStatus, isKeyUnfit: boolean, isVerified: boolean): VerdictStatus {
  if (isKeyUnfit) return 'contraindicated';
  return status === 'affirming' && !isVerified ? 'warning' : status;
}

/** What has no values of its own is said once for all PCRs that it holds for. */
function findingLines(findings: readonly VerdictFinding[]): string[] {
  const groups = new Map<string, VerdictFinding[]>();
  for (const [i, finding] of findings.entries()) {
    const isPlain = finding.actual === undefined && finding.expected === undefined;
    const key = isPlain ? `${finding.severity} ${finding.code}` : String(i);
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return [...groups.values()].map(findingLine);
}

function findingLine(group: readonly VerdictFinding[]): string {
  const { code, severity, expected, actual, hint } = group[0] as VerdictFinding;
  const pcrs = group.flatMap(({ where }) => where.pcr ?? []);
  const place = pcrs.length === 0 ? '' : ` PCR ${pcrs.join(', ')}`;
  const values = [expected === undefined ? '' : `expected ${expected}`, actual === undefined ? '' : `found ${actual}`]
    .filter((text) => text !== '')
    .join(', ');
  return `${severity}: ${code}${place}${values === '' ? '' : `: ${values}`}\n  ${hint}`;
}
