// SPDX-License-Identifier: Apache-2.0
// All that the pure packages use besides the language itself; every browser and Node have it.

declare class TextEncoder {
  encode(text: string): Uint8Array;
}

declare class TextDecoder {
  constructor(label: 'utf-8', options: { fatal: boolean; ignoreBOM: boolean });
  decode(bytes: Uint8Array): string;
}
