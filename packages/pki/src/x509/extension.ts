// SPDX-License-Identifier: Apache-2.0
import type { DerElement } from '../der/element.ts';
import { decodeBoolean } from '../der/primitive.ts';
import type { DerReader } from '../der/reader.ts';
import { TAG } from '../der/tag.ts';
import { encodeBoolean, encodeOctetString, encodeOid, encodeSequence } from '../der/writer.ts';
import { formatOid } from '../oid.ts';

/** Extensions of one certificate. */
const MAX_EXTENSIONS = 64;

/** Extension. RFC 5280, 4.1 and 4.2. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** The OCTET STRING extnValue. Its contents are DER that the extension's own definition gives. */
  readonly value: DerElement;
}

/**
 * The elements of Extensions, known and unknown.
 * @throws {PkiError} 'certificate_malformed' when one is there twice: readers would differ in which of them counts
 * (RFC 5280, 4.2).
 */
export function readExtensions(list: DerReader): Extension[] {
  const extensions = list.rest(MAX_EXTENSIONS).map((element): Extension => {
    const sequence = list.enterSequence(element);
    const oid = sequence.readOid('extnID');
    const critical = readDefaultFalse(sequence, 'critical');
    const value = sequence.read('extnValue', TAG.octetString);
    sequence.end();
    return { oid, critical, value };
  });
  const seen = new Set<string>();
  for (const { oid, value } of extensions) {
    if (seen.has(oid)) {
      throw list.error(
        'certificate_malformed',
        'extnID',
        `expected each extension once, found another ${formatOid(oid)}`,
        value,
      );
    }
    seen.add(oid);
  }
  return extensions;
}

/**
 * A BOOLEAN DEFAULT FALSE.
 * @throws {PkiError} 'der_value' when FALSE is written out and the rules insist (X.690, 11.5).
 */
export function readDefaultFalse(reader: DerReader, field: string): boolean {
  if (reader.nextTag !== TAG.boolean) return false;
  const element = reader.read(field, TAG.boolean);
  const value = decodeBoolean(element);
  if (!value && !reader.rules.allowDefaults) {
    throw reader.error('der_value', field, 'expected FALSE, the default, to be left out', element);
  }
  return value;
}

/** An Extension; `value` is the DER inside extnValue. */
export function encodeExtension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [encodeBoolean(true)] : [];
  return encodeSequence(encodeOid(oid), ...flag, encodeOctetString(value));
}
