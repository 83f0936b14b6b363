// SPDX-License-Identifier: Apache-2.0
import { isVouchsafeError, parseUtf8, utf8 } from '@vouchsafe/base';
import {
  checkCommandLine,
  encodeHwids,
  formatBootEntry,
  formatEntryFileName,
  formatLoaderConf,
  parseBootEntry,
  parseEntryFileName,
  parseHwidDevice,
  parseLoaderConf,
  parsePcrSignatures,
  parseSbat,
  parseSbatLevel,
} from '@vouchsafe/pe';
import type { FuzzTarget } from '@vouchsafe/testing';

const PARSERS: readonly ((text: string) => unknown)[] = [
  parseSbat,
  parseSbatLevel,
  parsePcrSignatures,
  (text) => checkCommandLine(text, 'fuzz', '.cmdline'),
  // What is taken can be written.
  (text) => encodeHwids([parseHwidDevice(text, 'fuzz')]),
  // What is read can be written, and what was written is read the same.
  (text) => sameAgain(parseBootEntry(text), formatBootEntry, parseBootEntry),
  (text) => sameAgain(parseLoaderConf(text), formatLoaderConf, parseLoaderConf),
  (text) => sameAgain(parseEntryFileName(text), formatEntryFileName, parseEntryFileName),
];

/** Bytes as each of the texts of an image and of an ESP. */
export const target: FuzzTarget = {
  name: 'pe-boot-text',
  seeds: () =>
    [
      'sbat,1,2022111500\nshim,2\ngrub,3\n',
      'title x\nlinux /a\ninitrd /b\noptions "q  r"\n',
      'timeout menu-force\ndefault a*\neditor no\nfoo bar\n',
      'testos_7.1+3-0.efi',
      '{"sha256":[{"pcrs":[11],"pkfp":"00","pol":"00","sig":"AAAA"}]}',
      '{"type":"devicetree","name":"A","compatible":"b,c","hwids":["810e34c6-cc69-5e36-8675-2f6e354272d3"]}',
      'roothash=00 init="/bin/sh" rd.break',
    ].map(utf8),
  run(bytes) {
    const text = parseUtf8(bytes);
    for (const parse of PARSERS) {
      try {
        parse(text);
      } catch (error) {
        if (!isVouchsafeError(error)) throw error;
      }
    }
  },
};

function sameAgain<T>(value: T, format: (value: T) => string, parse: (text: string) => T): void {
  let text: string;
  try {
    text = format(value);
  } catch (error) {
    // A value with quotes inside its quotes is read by their place and cannot be written so.
    if (isVouchsafeError(error)) return;
    throw error;
  }
  if (format(parse(text)) !== text) throw new Error('written otherwise than read');
}
