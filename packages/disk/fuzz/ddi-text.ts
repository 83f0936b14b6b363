// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError, utf8 } from '@vouchsafe/base';
import {
  allowedUses,
  checkImagePolicy,
  DESIGNATORS,
  formatReleaseFile,
  parseDefinitionFile,
  parseImagePolicy,
  parseReleaseFile,
} from '@vouchsafe/disk';
import type { FuzzTarget } from '@vouchsafe/testing';

/** The first octet says which: a definition, a release file, whose fields are written again as they were read, or a policy. */
export const target: FuzzTarget = {
  name: 'disk-ddi-text',
  seeds: () => [
    utf8(
      '0[Partition]\nType=root\nLabel=os_%%\nFormat=erofs\nCopyFiles=/a:/b\nSizeMinBytes=1.5G\nVerity=data\nVerityMatchKey=x\n',
    ),
    utf8('1ID=debian\nVERSION_ID="12"\nNAME=\'a b\'\nX=a\\ b\n'),
    utf8('2root=signed+absent:usr=verity+read-only-on:=ignore'),
  ],
  run(bytes) {
    let text: string;
    try {
      text = parseUtf8(bytes.subarray(1));
    } catch (error) {
      if (error instanceof TextError) return;
      throw error;
    }
    const which = (bytes[0] ?? 0) % 3;
    if (which === 0) parseDefinitionFile(text, 'fuzz.conf', { architecture: 'x86-64', specifiers: {} });
    else if (which === 1) requireSameAgain(text);
    else {
      const policy = parseImagePolicy(text);
      checkImagePolicy(policy);
      for (const designator of DESIGNATORS) allowedUses(policy, designator);
    }
  },
};

function requireSameAgain(text: string): void {
  const fields = parseReleaseFile(text, 'fuzz');
  const again = parseReleaseFile(formatReleaseFile(fields), 'fuzz');
  if (JSON.stringify([...again]) !== JSON.stringify([...fields]))
    throw new Error('fields change when they are written');
}
