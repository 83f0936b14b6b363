// SPDX-License-Identifier: Apache-2.0
import { PkiError, type PkiErrorCode } from '../error.ts';
import type { DerElement } from './element.ts';
import { type BitString, decodeBitString, decodeBoolean, decodeInteger, decodeOid } from './primitive.ts';
import { type DerRules, STRICT_DER } from './rules.ts';
import { compareSetElements } from './set-order.ts';
import { CONSTRUCTED, TAG, tagName } from './tag.ts';

interface DerInput {
  readonly bytes: Uint8Array;
  /** Octets before `bytes` in what the caller was given; added to offsets in elements and errors. */
  readonly base: number;
  readonly rules: DerRules;
  elements: number;
}

/** Octets in the length field after the first; four reach beyond any limit. X.690, 8.1.3.5. */
const MAX_LENGTH_OCTETS = 4;

/**
 * Reads the elements inside one constructed element, in order. Every method that reads moves on; `end` insists that
 * nothing is left. Offsets are absolute, bounds are checked in one place, depth and number of elements are limited.
 */
export class DerReader {
  /** The element being read; its `bytes` are exact. */
  readonly element: DerElement;
  readonly #input: DerInput;
  readonly #depth: number;
  readonly #end: number;
  #at: number;

  /** Internal: use `openDer` and `enter`. */
  constructor(input: DerInput, element: DerElement, start: number, end: number, depth: number) {
    this.#input = input;
    this.element = element;
    this.#at = start;
    this.#end = end;
    this.#depth = depth;
  }

  get rules(): DerRules {
    return this.#input.rules;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  /** Identifier octet of the next element; undefined at the end. */
  get nextTag(): number | undefined {
    return this.#at < this.#end ? this.#input.bytes[this.#at] : undefined;
  }

  /** An error at the next element, or at `where`. */
  error(code: PkiErrorCode, field: string, message: string, where?: DerElement): PkiError {
    return new PkiError(code, message, {
      path: this.#path(field),
      offset: where?.offset ?? this.#input.base + this.#at,
    });
  }

  /**
   * The next element, whatever it is, or of the tag given.
   * @throws {PkiError} 'der_tag', 'der_length', 'der_truncated', 'der_limit'.
   */
  read(field: string, tag?: number): DerElement {
    const { bytes, rules } = this.#input;
    const start = this.#at;
    const found = this.nextTag;
    if (found === undefined) {
      throw this.error('der_tag', field, `expected ${tag === undefined ? 'an element' : tagName(tag)}, found the end`);
    }
    if (tag !== undefined && found !== tag) {
      throw this.error('der_tag', field, `expected ${tagName(tag)}, found ${tagName(found)}`);
    }
    // X.690, 8.1.2.4: numbers above 30 take more octets. No structure read here has one.
    if ((found & 0x1f) === 0x1f)
      throw this.error('der_tag', field, 'expected a tag number up to 30, found a longer one');
    if (++this.#input.elements > rules.maxElements) {
      throw this.error('der_limit', field, `expected at most ${rules.maxElements} elements in all, found more`);
    }
    const { contentsAt, length } = this.#readLength(field, start + 1);
    if (length > this.#end - contentsAt) {
      throw this.error(
        'der_truncated',
        field,
        `expected ${length} octets of contents, found ${this.#end - contentsAt}`,
      );
    }
    this.#at = contentsAt + length;
    return {
      tag: found,
      bytes: bytes.subarray(start, this.#at),
      contents: bytes.subarray(contentsAt, this.#at),
      offset: this.#input.base + start,
      path: this.#path(field),
    };
  }

  /** The next element when it has that tag; undefined, and nothing is read, when not. */
  readOptional(field: string, tag: number): DerElement | undefined {
    return this.nextTag === tag ? this.read(field, tag) : undefined;
  }

  /**
   * A reader of the elements inside a constructed element.
   * @throws {PkiError} 'der_tag' for a primitive element, 'der_depth'.
   */
  enter(element: DerElement): DerReader {
    const { path, offset } = element;
    if ((element.tag & CONSTRUCTED) === 0) {
      throw new PkiError('der_tag', `expected a constructed element, found ${tagName(element.tag)}`, { path, offset });
    }
    return this.#nested(element);
  }

  /**
   * A reader of the DER that an OCTET STRING carries.
   * @throws {PkiError} 'der_depth'.
   */
  enterString(element: DerElement): DerReader {
    return this.#nested(element);
  }

  /**
   * A reader of an element that was read without saying its tag, as those of a SET OF are.
   * @throws {PkiError} 'der_tag' when it is no SEQUENCE, 'der_depth'.
   */
  enterSequence(element: DerElement): DerReader {
    if (element.tag !== TAG.sequence) {
      const { path, offset } = element;
      throw new PkiError('der_tag', `expected SEQUENCE, found ${tagName(element.tag)}`, { path, offset });
    }
    return this.enter(element);
  }

  #nested(element: DerElement): DerReader {
    const depth = this.#depth + 1;
    if (depth > this.#input.rules.maxDepth) {
      const { path, offset } = element;
      throw new PkiError('der_depth', `expected at most ${this.#input.rules.maxDepth} levels, found more`, {
        path,
        offset,
      });
    }
    const end = element.offset - this.#input.base + element.bytes.length;
    return new DerReader(this.#input, element, end - element.contents.length, end, depth);
  }

  readSequence(field: string, tag: number = TAG.sequence): DerReader {
    return this.enter(this.read(field, tag));
  }

  /** All elements of the next SET OF, at most `max` of them; throws as `restInOrder` does. */
  readSetOf(field: string, max: number, tag: number = TAG.set): DerElement[] {
    return this.readSequence(field, tag).restInOrder(max);
  }

  /**
   * The rest of a SET OF, at most `max` elements.
   * @throws {PkiError} 'der_limit'; 'der_value' when they are not in order and the rules insist (X.690, 11.6).
   */
  restInOrder(max: number): DerElement[] {
    const elements = this.rest(max);
    if (this.rules.allowSetOrder) return elements;
    for (const [i, element] of elements.entries()) {
      const before = elements[i - 1];
      if (before !== undefined && compareSetElements(before.bytes, element.bytes) > 0) {
        throw this.error('der_value', String(i), 'expected the elements of a SET OF in ascending order', element);
      }
    }
    return elements;
  }

  /** Everything up to the end, at most `max` elements. */
  rest(max: number): DerElement[] {
    const elements: DerElement[] = [];
    while (!this.isAtEnd) {
      if (elements.length === max)
        throw this.error('der_limit', String(max), `expected at most ${max} elements, found more`);
      elements.push(this.read(String(elements.length)));
    }
    return elements;
  }

  readOid(field: string): string {
    return decodeOid(this.read(field, TAG.oid));
  }

  readInteger(field: string): bigint {
    return decodeInteger(this.read(field, TAG.integer));
  }

  readBoolean(field: string): boolean {
    return decodeBoolean(this.read(field, TAG.boolean));
  }

  readBitString(field: string): BitString {
    return decodeBitString(this.read(field, TAG.bitString));
  }

  readOctetString(field: string): Uint8Array {
    return this.read(field, TAG.octetString).contents;
  }

  /** @throws {PkiError} 'der_trailing' when elements are left. */
  end(): void {
    if (!this.isAtEnd) {
      const path = this.element.path === '' ? undefined : this.element.path;
      const offset = this.#input.base + this.#at;
      throw new PkiError('der_trailing', `expected the end, found ${this.#end - this.#at} more octets`, {
        path,
        offset,
      });
    }
  }

  #path(field: string): string {
    return this.element.path === '' ? field : `${this.element.path}.${field}`;
  }

  /** X.690, 8.1.3 and 10.1. */
  #readLength(field: string, at: number): { contentsAt: number; length: number } {
    const { bytes, rules } = this.#input;
    if (at >= this.#end) throw this.error('der_truncated', field, 'expected a length, found the end');
    const first = bytes[at] ?? 0;
    if (first < 0x80) return { contentsAt: at + 1, length: first };
    // X.690, 8.1.3.6: never in DER, and what ends it would be looked for in bytes that an attacker chose.
    if (first === 0x80)
      throw this.error('der_length', field, 'expected a definite length, found an indefinite one; this is BER');
    const octets = first & 0x7f;
    if (octets > MAX_LENGTH_OCTETS) {
      throw this.error(
        'der_length',
        field,
        `expected a length of at most ${MAX_LENGTH_OCTETS} octets, found ${octets}`,
      );
    }
    if (octets > this.#end - at - 1) throw this.error('der_truncated', field, 'expected a length, found the end');
    let length = 0;
    for (let i = 1; i <= octets; i++) length = length * 256 + (bytes[at + i] ?? 0);
    const minimal = length >= 0x80 && bytes[at + 1] !== 0;
    if (!minimal && !rules.allowLongLengths) {
      throw this.error(
        'der_length',
        field,
        `expected the shortest form of length ${length}, found ${octets + 1} octets`,
      );
    }
    return { contentsAt: at + 1 + octets, length };
  }
}

/**
 * A reader of the input's elements.
 * @throws {PkiError} 'der_limit' when the input is larger than the rules allow.
 */
export function openDer(bytes: Uint8Array, rules: DerRules = STRICT_DER): DerReader {
  if (bytes.length > rules.maxSizeBytes) {
    throw new PkiError('der_limit', `expected at most ${rules.maxSizeBytes} octets, found ${bytes.length}`);
  }
  const whole: DerElement = { tag: 0, bytes, contents: bytes, offset: 0, path: '' };
  return new DerReader({ bytes, base: 0, rules, elements: 0 }, whole, 0, bytes.length, 0);
}

/** A reader of the elements inside a SEQUENCE that was read before; offsets and paths go on, limits start anew. */
export function reopenDer(element: DerElement, rules: DerRules = STRICT_DER): DerReader {
  const { bytes, offset } = element;
  return new DerReader({ bytes, base: offset, rules, elements: 0 }, element, 0, bytes.length, 0).enterSequence(element);
}

/**
 * A reader of the one SEQUENCE that the input is.
 * @throws {PkiError} 'der_trailing' when more follows and the rules do not allow it.
 */
export function openDerSequence(bytes: Uint8Array, name: string, rules: DerRules = STRICT_DER): DerReader {
  const outer = openDer(bytes, rules);
  const sequence = outer.readSequence(name);
  if (!rules.allowTrailing) outer.end();
  return sequence;
}
