// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { EfiSignatureList } from './signature-list.ts';

/**
 * The lists, then what `more` has besides: an entry that is there already, whoever its owner is, is not taken twice, as
 * firmware does when it appends (UEFI 2.10, 8.2.6). Lists that become empty are left out.
 */
export function joinSignatureLists(
  lists: readonly EfiSignatureList[],
  more: readonly EfiSignatureList[],
): EfiSignatureList[] {
  const seen = new Set<string>();
  return [...lists, ...more].flatMap(({ type, signatures }): EfiSignatureList[] => {
    const fresh = signatures.filter(({ data }) => {
      const key = `${type} ${toHex(data)}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
    return fresh.length === 0 ? [] : [{ type, signatures: fresh }];
  });
}
