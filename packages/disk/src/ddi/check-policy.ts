// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import {
  allowedUses,
  canHaveVerity,
  DESIGNATORS,
  type Designator,
  dataOf,
  type ImagePolicy,
  type PartitionUse,
  ruleFor,
  USES,
  usesOf,
} from './image-policy.ts';

export type PolicyFindingCode =
  | 'policy_unknown_name' // a name that systemd does not know, and may pass over
  | 'policy_open_implied' // a rule without a use, which means every use
  | 'policy_unprotected' // a rule that takes a protected partition, and an unprotected one too
  | 'policy_unsigned' // a rule that takes a signed root hash, and any other too
  | 'policy_self_made_root' // verity without a signature: the image says itself what its root hash is
  | 'policy_missing_taken' // a rule that protects a partition, and takes an image without it
  | 'policy_nothing_used' // neither a root nor a /usr is ever used
  | 'policy_impossible' // a rule that no partition can fulfil
  | 'policy_flag_without_effect' // a protection that such partitions cannot have
  | 'policy_sibling_kept_out' // a rule that keeps away the partition that another rule needs
  | 'policy_default_open'; // partitions that nobody named are used as they come

const PROTECTIONS: readonly PartitionUse[] = ['signed', 'verity', 'encrypted'];

/** What a rule says, in the words of who wrote it. */
interface Subject {
  readonly designator: Designator | undefined;
  readonly uses: ReadonlySet<PartitionUse>;
  readonly written: readonly string[];
}

type Report = (code: PolicyFindingCode, subject: Subject, actual: string, hint: string, severity?: 'warning') => void;

/** Where a policy takes less than a reader would think it asks for. An error is a door that stands open. */
export function checkImagePolicy(policy: ImagePolicy): Finding<PolicyFindingCode>[] {
  const findings: Finding<PolicyFindingCode>[] = [];
  const report: Report = (code, { designator }, actual, hint, severity) => {
    const where = { artefact: 'image policy', path: designator ?? 'all others' };
    findings.push({ code, severity: severity ?? 'error', where, actual, hint });
  };
  for (const { rule, name, kind } of policy.unknown) {
    findings.push({
      code: 'policy_unknown_name',
      severity: 'error',
      where: { artefact: 'image policy', path: rule },
      actual: name,
      hint:
        kind === 'flag'
          ? 'some readers pass over it, and a rule without any use left takes every use; correct it'
          : 'some readers pass over the whole rule, and the partition falls under the rule for all others; correct it',
    });
  }
  for (const { designator, flags } of policy.rules) {
    const uses = designator === undefined ? usesOf(flags) : allowedUses(policy, designator);
    checkRule({ designator, uses, written: flags }, report);
  }
  checkSiblings(policy, report);
  const isUsed = (designator: Designator): boolean =>
    [...allowedUses(policy, designator)].some((use) => use !== 'unused' && use !== 'absent');
  if (!isUsed('root') && !isUsed('usr')) {
    const none: Subject = { designator: undefined, uses: new Set(), written: [] };
    report('policy_nothing_used', none, policy.text, 'neither root nor usr is ever used; name one', 'warning');
  }
  return findings;
}

function checkRule(subject: Subject, report: Report): void {
  const { designator, uses, written } = subject;
  const names = [...uses].join('+');
  const protections = PROTECTIONS.filter((use) => uses.has(use));
  const isPlain = uses.has('unprotected');
  const saysUse = written.some((flag) => /^(open|ignore)$/.test(flag) || (USES as readonly string[]).includes(flag));
  if (!saysUse) {
    report(
      'policy_open_implied',
      subject,
      names,
      'a rule that names no use takes every one of them; name what you mean',
    );
    return;
  }
  if (uses.size === 0) {
    report(
      'policy_impossible',
      subject,
      written.join('+'),
      'such a partition cannot have this protection, so no image is taken',
    );
    return;
  }
  const lost = written.filter((flag) => PROTECTIONS.some((use) => use === flag) && !uses.has(flag as PartitionUse));
  if (designator !== undefined && lost.length > 0) {
    report(
      'policy_flag_without_effect',
      subject,
      lost.join('+'),
      'such a partition cannot have it; it counts for nothing',
      'warning',
    );
  }
  if (designator === undefined) {
    if (isPlain) {
      report(
        'policy_default_open',
        subject,
        names,
        'every partition that is not named is used as it comes, without protection; say =ignore or =absent',
      );
    }
    return;
  }
  if (isPlain && protections.length > 0) {
    report(
      'policy_unprotected',
      subject,
      names,
      'an image with the protection taken away is taken as well; leave out unprotected',
    );
  }
  if (canHaveVerity(designator)) checkVerityRule(subject, names, report);
  if (uses.has('absent') && protections.length > 0) {
    report(
      'policy_missing_taken',
      subject,
      names,
      'an image without this partition is taken as well; leave out absent if it must be there',
      'warning',
    );
  }
}

function checkVerityRule(subject: Subject, names: string, report: Report): void {
  const { uses } = subject;
  if (uses.has('verity') && uses.has('signed')) {
    report(
      'policy_unsigned',
      subject,
      names,
      'an image with its signature taken away is taken as well; leave out verity',
    );
  } else if (uses.has('verity')) {
    report(
      'policy_self_made_root',
      subject,
      names,
      'the root hash is then what the image itself says, so that whoever made it is taken; say signed, or give the root hash from outside',
      'warning',
    );
  }
}

/** An explicit rule for a hash or signature partition counts before what its data's rule needs. */
function checkSiblings(policy: ImagePolicy, report: Report): void {
  for (const designator of DESIGNATORS) {
    const data = dataOf(designator);
    const rule = ruleFor(policy, designator);
    if (data === undefined || rule === undefined) continue;
    const dataUses = allowedUses(policy, data);
    const needs = dataUses.has('signed') || (dataUses.has('verity') && !designator.endsWith('-sig'));
    const uses = allowedUses(policy, designator);
    if (needs && !uses.has('unprotected')) {
      const hint = `${data} needs this partition, and the rule says that it is not used; leave the rule out`;
      report('policy_sibling_kept_out', { designator, uses, written: rule.flags }, rule.flags.join('+'), hint);
    }
  }
}
