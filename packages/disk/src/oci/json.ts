// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { DiskError } from '../error.ts';

/** OCI image specification 1.1, "Image Manifest": what is larger than 4 MiB, registries refuse. */
export const MAX_OCI_JSON_BYTES = 4 * 1024 * 1024;

/** A JSON value with its place, for messages; what it holds is asked for by kind. */
export class OciJson {
  readonly #value: unknown;
  readonly #place: string;

  private constructor(value: unknown, place: string) {
    this.#value = value;
    this.#place = place;
  }

  /** @throws {DiskError} 'oci_malformed', 'limit' for more than 4 MiB. @throws {BytesError} */
  static read(source: ByteSource): OciJson {
    if (source.size > MAX_OCI_JSON_BYTES) {
      throw new DiskError(
        'limit',
        `${source.label}: expected at most ${MAX_OCI_JSON_BYTES} octets of JSON, found ${source.size}`,
      );
    }
    return OciJson.parse(readBytes(source, 0, source.size), source.label);
  }

  /** @throws {DiskError} 'oci_malformed' */
  static parse(bytes: Uint8Array, label: string): OciJson {
    try {
      return new OciJson(JSON.parse(parseUtf8(bytes)), label);
    } catch (cause) {
      if (!(cause instanceof TextError || cause instanceof SyntaxError)) throw cause;
      throw new DiskError('oci_malformed', `${label}: expected JSON in UTF-8: ${cause.message}`, { cause });
    }
  }

  refuse(problem: string): never {
    throw new DiskError('oci_malformed', `${this.#place}: ${problem}`);
  }

  /** A member of an object; undefined when it is not there, or null. */
  optional(name: string): OciJson | undefined {
    const object = this.#value;
    if (typeof object !== 'object' || object === null || Array.isArray(object))
      return this.refuse('expected an object');
    if (!Object.hasOwn(object, name)) return undefined;
    const value = (object as Record<string, unknown>)[name];
    return value === null || value === undefined ? undefined : new OciJson(value, `${this.#place}: ${name}`);
  }

  member(name: string): OciJson {
    return this.optional(name) ?? this.refuse(`expected a member ${name}`);
  }

  text(): string {
    return typeof this.#value === 'string' ? this.#value : this.refuse('expected a string');
  }

  /** A whole number from 0 on. */
  count(): number {
    const value = this.#value;
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
      ? value
      : this.refuse('expected a whole number');
  }

  list(maxItems: number): OciJson[] {
    const value = this.#value;
    if (!Array.isArray(value)) return this.refuse('expected a list');
    if (value.length > maxItems) {
      throw new DiskError('limit', `${this.#place}: expected at most ${maxItems} items, found ${value.length}`);
    }
    return value.map((item, i) => new OciJson(item, `${this.#place}[${i}]`));
  }
}
