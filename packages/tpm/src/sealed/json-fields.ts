// SPDX-License-Identifier: Apache-2.0
import { HexError, parseHex } from '@vouchsafe/base';
import { PkiError, parseBase64 } from '@vouchsafe/pki';
import { TpmError } from '../error.ts';

/** Characters of a sealed object in JSON; those with RSA keys and many PCRs have some thousand. */
const MAX_CHARACTERS = 256 * 1024;

const MAX_STRINGS = 64;

/** One JSON object, read field by field: what is missing or of another type is an error that names the field. */
export class JsonFields {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #path: string;

  private constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(path, 'an object');
    this.#value = value as Readonly<Record<string, unknown>>;
    this.#path = path;
  }

  /** @throws {TpmError} 'sealed_malformed' */
  static parse(text: string, label: string): JsonFields {
    if (text.length > MAX_CHARACTERS) throw malformed(label, `at most ${MAX_CHARACTERS} characters`);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw malformed(label, 'JSON', cause);
    }
    return new JsonFields(value, label);
  }

  static of(value: unknown, label: string): JsonFields {
    return new JsonFields(value, label);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#value, name);
  }

  object(name: string): JsonFields {
    return new JsonFields(this.#own(name), this.#at(name));
  }

  string(name: string): string {
    const value = this.#own(name);
    if (typeof value !== 'string') throw malformed(this.#at(name), 'a string');
    return value;
  }

  number(name: string): number {
    const value = this.#own(name);
    if (typeof value !== 'number') throw malformed(this.#at(name), 'a number');
    return value;
  }

  boolean(name: string): boolean {
    const value = this.#own(name);
    if (typeof value !== 'boolean') throw malformed(this.#at(name), 'true or false');
    return value;
  }

  /** Whether a field that switches something on does so: true, or any text or list. */
  flag(name: string): boolean {
    const value = this.#own(name);
    return value !== false && value !== undefined && value !== null;
  }

  strings(name: string): string[] {
    const value = this.#own(name);
    const isList = Array.isArray(value) && value.length <= MAX_STRINGS;
    if (!isList || value.some((one) => typeof one !== 'string')) throw malformed(this.#at(name), 'a list of strings');
    return value as string[];
  }

  /** A list of objects. */
  objects(name: string): JsonFields[] {
    const value = this.#own(name);
    if (!Array.isArray(value) || value.length > MAX_STRINGS) throw malformed(this.#at(name), 'a list of objects');
    return value.map((one: unknown, i) => new JsonFields(one, `${this.#at(name)}[${i}]`));
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.string(name);
    const found = allowed.find((one) => one === value);
    if (found === undefined) throw malformed(this.#at(name), `one of ${allowed.join(', ')}`);
    return found;
  }

  /** Base64 with padding; or, for JOSE, of the URL alphabet without. */
  base64(name: string, alphabet: 'standard' | 'url' = 'standard'): Uint8Array {
    return this.#octets(name, this.string(name), alphabet);
  }

  /** One text of base64, or a list of one or more. */
  base64List(name: string): Uint8Array[] {
    const texts = typeof this.#own(name) === 'string' ? [this.string(name)] : this.strings(name);
    if (texts.length === 0) throw malformed(this.#at(name), 'one text or more');
    return texts.map((text) => this.#octets(name, text, 'standard'));
  }

  #octets(name: string, text: string, alphabet: 'standard' | 'url'): Uint8Array {
    try {
      return alphabet === 'url' ? parseBase64Url(text) : parseBase64(text);
    } catch (cause) {
      if (cause instanceof PkiError) throw malformed(this.#at(name), 'base64', cause);
      throw cause;
    }
  }

  hex(name: string): Uint8Array {
    return this.#hexOctets(name, this.string(name));
  }

  hexList(name: string): Uint8Array[] {
    return this.strings(name).map((text) => this.#hexOctets(name, text));
  }

  #hexOctets(name: string, text: string): Uint8Array {
    try {
      return parseHex(text);
    } catch (cause) {
      if (cause instanceof HexError) throw malformed(this.#at(name), 'hexadecimal', cause);
      throw cause;
    }
  }

  /** The number of a PCR. */
  pcr(name: string): number {
    const value = this.#own(name);
    if (isPcr(value)) return value;
    throw malformed(this.#at(name), 'a PCR from 0 to 23');
  }

  /** Numbers of PCRs, each once, ascending. */
  pcrs(name: string): number[] {
    const value = this.#own(name);
    if (!Array.isArray(value) || value.length > 24) throw malformed(this.#at(name), 'a list of at most 24 PCRs');
    const pcrs = value.map((pcr: unknown) => {
      if (!isPcr(pcr)) throw malformed(this.#at(name), 'PCRs from 0 to 23');
      return pcr;
    });
    if (new Set(pcrs).size !== pcrs.length) throw malformed(this.#at(name), 'each PCR once');
    return pcrs.toSorted((a, b) => a - b);
  }

  names(): string[] {
    return Object.keys(this.#value);
  }

  error(name: string, expected: string): TpmError {
    return malformed(this.#at(name), expected);
  }

  #own(name: string): unknown {
    return Object.hasOwn(this.#value, name) ? this.#value[name] : undefined;
  }

  #at(name: string): string {
    return `${this.#path}: ${name}`;
  }
}

const isPcr = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 23;

/** RFC 7515, section 2: the URL alphabet, no padding. @throws {PkiError} 'base64_malformed' */
export function parseBase64Url(text: string): Uint8Array {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new PkiError('base64_malformed', 'expected base64 of the URL alphabet');
  const standard = text.replaceAll('-', '+').replaceAll('_', '/');
  return parseBase64(standard.padEnd(Math.ceil(standard.length / 4) * 4, '='));
}

function malformed(where: string, expected: string, cause?: unknown): TpmError {
  return new TpmError(
    'sealed_malformed',
    `${where}: expected ${expected}`,
    cause === undefined ? undefined : { cause },
  );
}
