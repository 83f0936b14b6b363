// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { utf8 } from '@vouchsafe/base';
import {
  checkEventData,
  checkSeparators,
  decodeImaList,
  decodeTcgLog,
  replayIma,
  replayTcgLog,
} from '@vouchsafe/eventlog';
import type { Bench, BenchCase, BenchSide } from '@vouchsafe/testing';
import { decodePublic, importSigningKey, type PcrSelection, type PcrValue, verifyQuote } from '@vouchsafe/tpm';
import { madeFirmwareLog, madeImaList } from './made-logs.ts';

const VOUCHSAFE = fileURLToPath(new URL('../../../vouchsafe', import.meta.url));
const QUOTES = fileURLToPath(new URL('../../tpm/testdata/quote/', import.meta.url));
const IMA_ENTRIES = 10_000;
const FOLDER_LOGS = 100;

/** All that a verifier does with a firmware log before it reads what it says. */
function checkWhole(bytes: Uint8Array): unknown {
  const log = decodeTcgLog(bytes);
  const replay = replayTcgLog(log, { banks: ['sha256'] });
  return [replay, checkSeparators(log), checkEventData(log, 'sha256')];
}

/** As in a service that has run for a while: small functions are compiled once they were called some thousand times. */
function warmed<T>(run: () => T): () => T {
  for (let i = 0; i < 2000; i++) run();
  return run;
}

/** `openssl speed -mr`: '+F2:index:bits:signatures a second:verifications a second', and F4 for ECDSA, by user time. */
function opensslVerify(algorithm: string): BenchSide {
  return {
    kind: 'tool',
    label: `openssl speed ${algorithm}, verify`,
    argv: ['openssl', 'speed', '-mr', '-seconds', '1', algorithm],
    parse: (stdout) => {
      const rate = /^\+F[24]:\d+:\d+:[\d.]+:([\d.]+)/m.exec(stdout)?.[1];
      if (rate === undefined) throw new Error(`openssl speed: expected a line "+F2:…" or "+F4:…", got ${stdout}`);
      return { cpuMs: 1000 / Number(rate) };
    },
  };
}

/** Where tpm2_quote puts the digests: TPM2B_DIGESTs in fields of 66 octets, as tpm2-tss has them in memory. */
const FIRST_DIGEST = 140;
const FIELD_BYTES = 66;

function quotedValues(file: Uint8Array): { readonly selection: readonly PcrSelection[]; readonly values: PcrValue[] } {
  const pcrs = [0, 7, 11];
  const values = pcrs.map((pcr, i): PcrValue => {
    const at = FIRST_DIGEST + i * FIELD_BYTES + 2;
    return { bank: 'sha256', pcr, value: file.subarray(at, at + 32) };
  });
  return { selection: [{ bank: 'sha256', pcrs }], values };
}

function quoteCase(name: string, algorithm: string, atLeast: number): BenchCase {
  const file = (ending: string): Uint8Array => Uint8Array.from(readFileSync(join(QUOTES, `${name}.${ending}`)));
  const { selection, values } = quotedValues(file('pcrs'));
  const evidence = { attest: file('attest'), signature: file('sig'), pcrs: values };
  const expected = {
    key: importSigningKey(decodePublic(file('pub')).value),
    selection,
    nonce: utf8('vouchsafe-nonce-0001'),
  };
  return {
    name: `a quote checked, ${name}, key imported before`,
    ours: { kind: 'function', label: 'verifyQuote', run: warmed(() => verifyQuote(evidence, expected)) },
    peer: opensslVerify(algorithm),
    goals: [{ time: 'cpuMs', statistic: 'median', atLeast }],
  };
}

/** Boot logs in process, beside tpm2_eventlog as a process; the command; and quotes, beside the signature check alone. */
export const bench: Bench = {
  name: 'eventlog',
  description: 'boot logs, beside tpm2_eventlog; quotes, beside openssl',
  cases: ({ dir, isQuick }) => {
    const log = madeFirmwareLog();
    const path = join(dir, 'boot.log');
    writeFileSync(path, log);
    const folder = join(dir, 'logs');
    mkdirSync(folder);
    const count = isQuick ? 10 : FOLDER_LOGS;
    for (let i = 0; i < count; i++) writeFileSync(join(folder, `${i}.log`), log);
    const list = madeImaList(isQuick ? 1000 : IMA_ENTRIES);
    return [
      {
        name: 'a log of 112 events: parse, full checks, replay in sha256',
        ours: { kind: 'function', label: 'in process', run: warmed(() => checkWhole(log)) },
        peer: { kind: 'command', label: 'tpm2_eventlog', argv: ['tpm2_eventlog', path] },
        goals: [{ time: 'cpuMs', statistic: 'median', atLeast: 30 }],
      },
      {
        name: `${isQuick ? 1000 : IMA_ENTRIES} entries of ima-ng: parse, checks, replay in sha256`,
        ours: { kind: 'function', label: 'in process', run: () => replayIma(decodeImaList(list), { bank: 'sha256' }) },
      },
      {
        name: 'log show of one log, the whole command',
        ours: { kind: 'command', label: 'vouchsafe', argv: [VOUCHSAFE, 'log', 'show', path] },
        peer: { kind: 'command', label: 'node, nothing', argv: [process.execPath, '-e', '0'] },
        goals: [{ time: 'wallMs', statistic: 'median', atMostMoreMs: 20 }],
      },
      {
        name: `log show of a folder of ${count} logs`,
        ours: { kind: 'command', label: 'vouchsafe', argv: [VOUCHSAFE, 'log', 'show', folder] },
        peer: { kind: 'command', label: 'vouchsafe, one log', argv: [VOUCHSAFE, 'log', 'show', path] },
        goals: [{ time: 'wallMs', statistic: 'median', atMostMoreMs: count }],
      },
      quoteCase('rsa-rsassa', 'rsa2048', 0.6),
      quoteCase('ecc-ecdsa', 'ecdsap256', 0.85),
    ];
  },
};
