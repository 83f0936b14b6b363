// SPDX-License-Identifier: Apache-2.0
import { FileSource } from '@vouchsafe/bytes/node';
import {
  allowedUses,
  applyImagePolicy,
  checkImagePolicy,
  DESIGNATORS,
  type ImagePolicy,
  type PolicyOutcome,
  parseImagePolicy,
  partitionSource,
  requireGpt,
} from '@vouchsafe/disk';
import { recogniseArtefact } from '@vouchsafe/image';
import { EXIT } from '../exit-code.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { findingsText } from '../verity/findings-text.ts';

export const policy: Verb = {
  define(command, session) {
    command
      .description(
        'Says what an image policy (systemd.image-policy) takes, where it takes less than it seems to ask for, and what it makes of a disk.',
      )
      .argument('<POLICY>', 'as --image-policy= takes it: root=signed')
      .argument('[DISK]', 'a disk image that it is to be applied to')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExits with 1 when the policy takes what it seems to refuse, or refuses the disk. Warnings do not count.\n\nExample:\n  vouchsafe image policy root=signed:swap=encrypted',
      )
      .action((text: string, disk: string | undefined) => run(session, text, disk));
  },
};

function run(session: Session, text: string, diskPath: string | undefined): void {
  const parsed = parseImagePolicy(text);
  const findings = checkImagePolicy(parsed);
  const outcomes = diskPath === undefined ? undefined : outcomesOn(diskPath, parsed);
  const isTaken = outcomes === undefined || outcomes.every(({ use }) => use !== undefined);
  const isGood = isTaken && findings.every(({ severity }) => severity !== 'error');
  if (!isGood) session.exitCode = EXIT.no;
  const rules = DESIGNATORS.map((designator) => ({ designator, uses: [...allowedUses(parsed, designator)] }));
  const lines = [
    ...rules.map(
      ({ designator, uses }) => `${designator.padEnd(16)} ${uses.join(', ') || 'nothing, so no image is taken'}`,
    ),
    ...(outcomes === undefined
      ? []
      : ['', `${diskPath}: ${isTaken ? 'taken' : 'refused'}`, ...outcomes.map(outcomeText)]),
    ...(findings.length === 0 ? [] : ['', findingsText(findings)]),
  ];
  session.answer(printable(lines.join('\n')), {
    isGood,
    rules,
    ...(outcomes === undefined ? {} : { isTaken, outcomes }),
    findings,
  });
}

function outcomesOn(path: string, parsed: ImagePolicy): readonly PolicyOutcome[] {
  using disk = FileSource.open(path);
  const table = requireGpt(disk);
  return applyImagePolicy(parsed, table, (index) => {
    const partition = table.partitions.find((candidate) => candidate.index === index);
    return partition !== undefined && recogniseArtefact(partitionSource(disk, table, partition)) === 'luks';
  });
}

function outcomeText({ designator, isPresent, possible, allowed, use }: PolicyOutcome): string {
  const what = isPresent ? `there, could be ${possible.join(', ')}` : 'not there';
  return `    ${designator}: ${what}; ${use === undefined ? `refused, as it must be ${allowed.join(' or ') || 'nothing'}` : use}`;
}
