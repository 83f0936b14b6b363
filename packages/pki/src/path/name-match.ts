// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import type { Name, NameAttribute } from '../x509/name.ts';

/**
 * Whether two names are the same: octet for octet, or attribute for attribute without regard to the string type, case
 * and runs of spaces (RFC 5280, 7.1; RFC 4518, 2). Authorities re-encode names, so octets alone would miss issuers.
 * Nothing is decided by a name alone: the key behind it must have signed.
 */
export function isSameName(a: Name, b: Name): boolean {
  if (bytesEqual(a.bytes, b.bytes)) return true;
  return (
    a.rdns.length === b.rdns.length &&
    a.rdns.every((rdn, i) => {
      const other = b.rdns[i] ?? [];
      // A relative name is a set; both are in DER's order only when the strings are encoded alike.
      return rdn.length === other.length && rdn.every((one) => other.some((two) => isSameAttribute(one, two)));
    })
  );
}

function isSameAttribute(a: NameAttribute, b: NameAttribute): boolean {
  if (a.oid !== b.oid) return false;
  if (a.text === undefined || b.text === undefined) return bytesEqual(a.value.bytes, b.value.bytes);
  return prepare(a.text) === prepare(b.text);
}

/** RFC 4518, 2: map case, normalize, take runs of spaces as one. */
function prepare(text: string): string {
  return text.normalize('NFKC').toLowerCase().trim().replace(/\s+/gu, ' ');
}
