// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import type { DerElement } from '../der/element.ts';
import { type DerReader, openDer } from '../der/reader.ts';
import { TAG } from '../der/tag.ts';
import { PkiError } from '../error.ts';
import { OID } from '../oid.ts';

/** Attributes of one signer, and values of one attribute. Time stamps and nested signatures come one or two at a time. */
const MAX_ATTRIBUTES = 64;
const MAX_VALUES = 16;

/** Attribute. RFC 5652, 5.3. */
export interface Attribute {
  readonly oid: string;
  readonly values: readonly DerElement[];
}

/** The attributes of a signer, as they came. */
export interface Attributes {
  /** The field with its context tag, exact. */
  readonly element: DerElement;
  readonly list: readonly Attribute[];
}

/** The signedAttrs in the next element. RFC 5652, 5.3, has them in DER even where the rest is BER, so order counts. */
export function readSignedAttributes(reader: DerReader, field: string, tag: number): Attributes {
  const set = reader.readSequence(field, tag);
  return {
    element: set.element,
    list: set.restInOrder(MAX_ATTRIBUTES).map((element) => decodeAttribute(set, element)),
  };
}

/** The unsignedAttrs in the next element. */
export function readUnsignedAttributes(reader: DerReader, field: string, tag: number): Attributes {
  const set = reader.readSequence(field, tag);
  return { element: set.element, list: set.rest(MAX_ATTRIBUTES).map((element) => decodeAttribute(set, element)) };
}

function decodeAttribute(set: DerReader, element: DerElement): Attribute {
  const attribute = set.enterSequence(element);
  const oid = attribute.readOid('attrType');
  const values = attribute.readSequence('attrValues', TAG.set).rest(MAX_VALUES);
  attribute.end();
  return { oid, values };
}

/**
 * What is signed when there are signed attributes: the field's bytes with the tag of SET OF instead of [0].
 * RFC 5652, 5.4.
 */
export function signedAttributeBytes(attributes: Attributes): Uint8Array {
  return concatBytes(Uint8Array.of(TAG.set), attributes.element.bytes.subarray(1));
}

/**
 * True for content that reads as signed attributes. Without this check a signature over attributes could be passed off as
 * one over content that is those attributes' DER, with the attributes dropped, and the other way round.
 */
export function isSignedAttributeContent(content: Uint8Array): boolean {
  if (content[0] !== TAG.set) return false;
  try {
    const outer = openDer(content);
    const { list } = readUnsignedAttributes(outer, 'signedAttrs', TAG.set);
    return list.some(({ oid }) => oid === OID.messageDigest || oid === OID.contentType);
  } catch (error) {
    if (error instanceof PkiError) return false;
    throw error;
  }
}
