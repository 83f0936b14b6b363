// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type CodecErrorCode =
  | 'truncated' // fewer bytes are left than the field needs
  | 'trailing_bytes' // the structure ended before its container did
  | 'mismatch' // a field that can hold one value only holds another (magic, reserved)
  | 'unknown_value' // a closed enumeration, flag word or selector has no such member
  | 'limit' // a count or size exceeds the bound that the declaration sets
  | 'invalid'; // a value that the field cannot hold

/** Malformed bytes, or a value that cannot be written. The path and offset say where. */
export class CodecError extends VouchsafeError<CodecErrorCode> {
  override readonly name = 'CodecError';
  readonly code: CodecErrorCode;
  /** Octets from the start of the outermost buffer: of the input when decoding, of the output when encoding. */
  readonly offset: number;
  /** The part of the message that does not depend on where it happened. */
  readonly detail: string;
  readonly #steps: (string | number)[] = [];

  constructor(code: CodecErrorCode, offset: number, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
    this.offset = offset;
    this.detail = detail;
  }

  /** Structure, field names and list indices, outermost first: `TPMS_ATTEST.attested.pcrSelect[0].hash`. */
  get path(): string {
    let path = '';
    for (let i = this.#steps.length - 1; i >= 0; i--) {
      const step = this.#steps[i];
      path += typeof step === 'number' ? `[${step}]` : path === '' ? step : `.${step}`;
    }
    return path;
  }

  /** Adds one step on the outside of the path. Called while the stack unwinds, so that success builds no paths. */
  under(step: string | number): this {
    this.#steps.push(step);
    this.message = `${this.path} @0x${this.offset.toString(16)}: ${this.detail} [${this.code}]`;
    return this;
  }
}

/** Adds a step when the error is ours, and throws it on in any case. */
export function rethrowUnder(step: string | number, error: unknown): never {
  throw error instanceof CodecError ? error.under(step) : error;
}
