// SPDX-License-Identifier: Apache-2.0
import type { DerElement } from '../der/element.ts';
import type { DerReader } from '../der/reader.ts';
import { formatOid } from '../oid.ts';

/** Attributes in one certificate, and values of one attribute. */
const MAX_ATTRIBUTES = 64;
const MAX_VALUES = 64;

/** Attribute: a type with the values it has. RFC 5280, 4.1.2.4 and appendix A.1; RFC 5755, 4.2.7. */
export interface AttributeSet {
  readonly oid: string;
  readonly values: readonly DerElement[];
}

/**
 * The attributes of a sequence of them.
 * @throws {PkiError} 'certificate_malformed' when one is there twice (RFC 5755, 4.2.7), 'der_limit'.
 */
export function readAttributeSets(list: DerReader): AttributeSet[] {
  const seen = new Set<string>();
  return list.rest(MAX_ATTRIBUTES).map((element) => {
    const sequence = list.enterSequence(element);
    const oid = sequence.readOid('type');
    const values = sequence.readSetOf('values', MAX_VALUES);
    sequence.end();
    if (seen.has(oid)) {
      const message = `expected each attribute once, found another ${formatOid(oid)}`;
      throw list.error('certificate_malformed', 'type', message, element);
    }
    seen.add(oid);
    return { oid, values };
  });
}
