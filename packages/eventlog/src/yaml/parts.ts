// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { type Codec, CodecError, decodeAt } from '@vouchsafe/codec';
import { yamlLines } from './escape.ts';

/** What tpm2_eventlog's --eventlog-version takes: 1 shows variables and partition tables in hexadecimal, 2 taken apart. */
export type YamlVersion = 1 | 2;

/** Octets that tpm2_eventlog shows of data that it does not take apart. */
const MAX_HEX_BYTES = 1024;

export const hexYaml = (bytes: Uint8Array): string => `  Event: "${toHex(bytes.subarray(0, MAX_HEX_BYTES))}"\n`;

/** Octets in double quotes, a line of the file for each line of the text. */
export function quotedLines(bytes: Uint8Array, indent: string): string {
  return yamlLines(bytes)
    .map((line) => `${indent}"${line}"\n`)
    .join('');
}

/** Data that is too short for its type, which tpm2_eventlog would read beyond, is shown in hexadecimal. */
export function orHex<T>(codec: Codec<T>, data: Uint8Array, show: (value: T, end: number) => string): string {
  try {
    const { value, end } = decodeAt(codec, data);
    return show(value, end);
  } catch (error) {
    if (error instanceof CodecError) return hexYaml(data);
    throw error;
  }
}
