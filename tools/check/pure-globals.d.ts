// SPDX-License-Identifier: Apache-2.0
// What each runtime has beside the language itself, and the pure packages use: WHATWG Encoding, sections 7.1 and 7.3.

declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: Uint8Array, options?: { stream?: boolean }): string;
}
