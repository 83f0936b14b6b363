// SPDX-License-Identifier: Apache-2.0

/** Arguments of one call: an engine puts them on its stack. */
const CHUNK = 4096;

/** One character an octet, for numbers and separators in octets of any length. */
export function latin1(octets: Uint8Array): string {
  let text = '';
  for (let at = 0; at < octets.length; at += CHUNK) text += String.fromCharCode(...octets.subarray(at, at + CHUNK));
  return text;
}
