// SPDX-License-Identifier: Apache-2.0
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { appraiseBoot, type BootReference, type BootVerdict } from '@vouchsafe/appraise';
import { concatBytes, utf8 } from '@vouchsafe/base';
import { encode, u16le, u32le } from '@vouchsafe/codec';
import { decodeTcgLog, digestOf, TCG_EVENT_TYPES, type TcgEventType } from '@vouchsafe/eventlog';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import { vectorPath } from '@vouchsafe/testing';
import {
  encodePcrSelection,
  type PcrSelection,
  type PcrValue,
  type QuoteEvidence,
  type QuoteExpectation,
  signingKeyFromSpki,
  TPM_HASH,
  tpmsAttest,
  tpmtSignature,
} from '@vouchsafe/tpm';

/** Digests by Node.js itself and not by the code under test. */
export function hash(bank: Bank, ...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(
    createHash(bank)
      .update(concatBytes(...parts))
      .digest(),
  );
}

/** An event of a made boot. Its digest is of its data unless `measured` says of what else, or `digest` itself is given. */
export interface MadeEvent {
  readonly pcr: number;
  readonly type: TcgEventType;
  readonly data: Uint8Array;
  readonly measured?: Uint8Array;
  readonly digest?: Uint8Array;
}

export const event = (pcr: number, type: TcgEventType, text: string): MadeEvent => ({ pcr, type, data: utf8(text) });
export const separator = (pcr: number): MadeEvent => ({ pcr, type: 'EV_SEPARATOR', data: new Uint8Array(4) });

export function digestOfMade(made: MadeEvent, bank: Bank): Uint8Array {
  if (made.digest !== undefined) return made.digest;
  if (made.type === 'EV_NO_ACTION') return new Uint8Array(hash(bank).length);
  return hash(bank, made.measured ?? made.data);
}

/** The events of a machine with a firmware, an image and nothing else, in the order of its log. */
export const BOOT: readonly MadeEvent[] = [
  event(0, 'EV_S_CRTM_VERSION', 'firmware 1'),
  event(7, 'EV_EFI_VARIABLE_DRIVER_CONFIG', 'SecureBoot on'),
  event(1, 'EV_EFI_VARIABLE_BOOT', 'BootOrder'),
  event(4, 'EV_EFI_ACTION', 'Calling EFI Application from Boot Option'),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map(separator),
  event(5, 'EV_EFI_GPT_EVENT', 'the table'),
  event(4, 'EV_EFI_BOOT_SERVICES_APPLICATION', 'the UKI'),
  event(11, 'EV_IPL', '.linux'),
  event(11, 'EV_IPL', 'content of .linux'),
  event(9, 'EV_EVENT_TAG', 'the initrd'),
  event(5, 'EV_EFI_ACTION', 'Exit Boot Services Invocation'),
  event(5, 'EV_EFI_ACTION', 'Exit Boot Services Returned with Success'),
];

/** What a TPM holds after the events; PCR 0 to 15 from zeros. */
export function pcrsAfter(events: readonly MadeEvent[], bank: Bank = 'sha256'): PcrValue[] {
  const values = Array.from({ length: 16 }, () => new Uint8Array(hash(bank).length));
  for (const made of events) {
    if (made.type === 'EV_NO_ACTION' || made.pcr > 15) continue;
    values[made.pcr] = hash(bank, values[made.pcr] as Uint8Array, digestOfMade(made, bank)) as Uint8Array<ArrayBuffer>;
  }
  return values.map((value, pcr) => ({ bank, pcr, value }));
}

const u32 = (value: number): Uint8Array => encode(u32le, value);
const sized = (bytes: Uint8Array): Uint8Array => concatBytes(u32(bytes.length), bytes);
const SIZES = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 } as const;

/** A crypto agile log, as firmware writes it; `logged` banks may be fewer than are declared. */
export function logOf(
  events: readonly MadeEvent[],
  banks: readonly Bank[] = ['sha256'],
  logged: readonly Bank[] = banks,
): Uint8Array {
  const header = concatBytes(
    utf8('Spec ID Event03\0'),
    u32(0),
    Uint8Array.of(0, 2, 0, 2),
    u32(banks.length),
    ...banks.flatMap((bank) => [encode(u16le, TPM_HASH[bank]), encode(u16le, SIZES[bank])]),
    Uint8Array.of(0),
  );
  const lines = events.map((made) =>
    concatBytes(
      u32(made.pcr),
      u32(TCG_EVENT_TYPES[made.type]),
      u32(logged.length),
      ...logged.flatMap((bank) => [encode(u16le, TPM_HASH[bank]), digestOfMade(made, bank)]),
      sized(made.data),
    ),
  );
  return concatBytes(u32(0), u32(3), new Uint8Array(20), sized(header), ...lines);
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
export const KEY_SPKI = Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' }));
const KEY = signingKeyFromSpki(KEY_SPKI);
const NONCE = utf8('a challenge of twenty');
const ALL = Array.from({ length: 16 }, (_, pcr) => pcr);

/** Of the TPM's clock when it quoted. */
export interface MadeQuote {
  readonly clock?: bigint;
  readonly resetCount?: number;
  readonly restartCount?: number;
  readonly safe?: boolean;
}

/** A quote over exactly this selection. */
export function quoteOver(
  selection: readonly PcrSelection[],
  values: readonly PcrValue[],
  made: MadeQuote = {},
): QuoteEvidence {
  const quoted = selection.flatMap(({ bank, pcrs }) =>
    pcrs.map((pcr) => values.find((v) => v.bank === bank && v.pcr === pcr)?.value ?? new Uint8Array(0)),
  );
  const attest = encode(tpmsAttest, {
    magic: 0xff544347,
    type: 'quote',
    qualifiedSigner: new Uint8Array(34),
    extraData: NONCE,
    clockInfo: { clock: 1n, resetCount: 1, restartCount: 0, safe: true, ...made },
    firmwareVersion: 1n,
    attested: { pcrSelect: selection.map(encodePcrSelection), pcrDigest: hash('sha256', ...quoted) },
  });
  const raw = sign('sha256', attest, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const [signatureR, signatureS] = [Uint8Array.from(raw.subarray(0, 32)), Uint8Array.from(raw.subarray(32))];
  const signature = encode(tpmtSignature, {
    sigAlg: 'ecdsa',
    signature: { hash: 'sha256', signatureR, signatureS },
  });
  return { attest, signature, pcrs: values };
}

export const selectionOf = (bank: Bank, pcrs: readonly number[] = ALL): PcrSelection[] => [{ bank, pcrs }];
export const expectationOf = (selection = selectionOf('sha256')): QuoteExpectation => ({
  key: KEY,
  selection,
  nonce: NONCE,
});

/** What would be predicted for the events, in whichever PCRs. */
export function predictionOf(
  events: readonly MadeEvent[],
  bank: Bank = 'sha256',
  isIncluded: (pcr: number) => boolean = () => true,
): PredictedEvent[] {
  return events
    .filter(({ pcr, type }) => type !== 'EV_NO_ACTION' && isIncluded(pcr))
    .map((made) => ({
      pcr: made.pcr,
      description: Buffer.from(made.data).toString('latin1'),
      origin: { artefact: 'made' },
      digests: new Map([[bank, digestOfMade(made, bank)]]),
    }));
}

/** The reference of BOOT, firmware and all. */
export const REFERENCE: BootReference = { bank: 'sha256', events: predictionOf(BOOT) };

/** Appraises a boot whose TPM was extended with `extended` and whose log says `logged`. */
export function appraise(
  logged: readonly MadeEvent[],
  extended: readonly MadeEvent[] = logged,
  reference: BootReference = REFERENCE,
): BootVerdict {
  const quote = quoteOver(selectionOf('sha256'), pcrsAfter(extended));
  return appraiseBoot({ quote, firmwareLog: logOf(logged) }, expectationOf(), reference);
}

/** The codes of the findings, each once, in order. */
export const codesOf = ({ findings }: BootVerdict): string[] => [...new Set(findings.map(({ code }) => code))];

/** The events of a real log as predictions. */
export function predictionOfLog(log: Uint8Array, bank: Bank, isIncluded: (pcr: number) => boolean): PredictedEvent[] {
  return decodeTcgLog(log)
    .events.filter(({ pcr, type }) => type !== 'EV_NO_ACTION' && isIncluded(pcr))
    .map((real) => ({
      pcr: real.pcr,
      description: String(real.type),
      origin: { artefact: 'log' },
      digests: new Map([[bank, digestOf(real, bank) as Uint8Array]]),
    }));
}

export function readVector(...parts: string[]): Uint8Array {
  return Uint8Array.from(readFileSync(vectorPath(...parts)));
}
