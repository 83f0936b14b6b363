// SPDX-License-Identifier: Apache-2.0
import { HexError, parseHex, parseUtf8, TextError, toHex } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { canonicalJson, encodeManifest, ManifestError } from '@vouchsafe/manifest';
import { encodeBase64, PkiError, parseBase64 } from '@vouchsafe/pki';
import { formatBank, signingKeyFromSpki, TpmError } from '@vouchsafe/tpm';
import Value from 'typebox/value';
import type { AppraisalInput } from '../appraisal-input.ts';
import { AppraiseError } from '../error.ts';
import type { ReferenceSet } from '../references/reference-set.ts';
import { type BundleDocument, bundleSchema } from './bundle-schema.ts';

/** What a file of recorded evidence holds: all of an appraisal but the policy, and nothing of attestations before. */
export interface EvidenceBundle extends Pick<AppraisalInput, 'evidence' | 'identity' | 'machine' | 'pinnedSystem'> {
  readonly atMs: number;
  readonly expected: Pick<AppraisalInput['expected'], 'selection' | 'nonce'> & {
    /** SubjectPublicKeyInfo of the attestation key. */
    readonly key: Uint8Array;
  };
  readonly references: ReferenceSet;
}

const MAX_BYTES = 512 * 1024 * 1024;

/**
 * The bytes of a bundle: canonical JSON. The logs are whole, IMA's from its beginning on.
 * @throws {AppraiseError} 'bundle_malformed' for a bundle that cannot be read again.
 */
export function encodeBundle(bundle: EvidenceBundle): Uint8Array {
  const { atMs, evidence, expected, machine, identity, pinnedSystem, references } = bundle;
  const { firmware, userspace, ima, launch } = evidence.logs;
  if (firmware.bytes === undefined || (ima !== undefined && ima.offset !== 0)) {
    throw new AppraiseError(
      'bundle_malformed',
      'expected whole logs, IMA’s from its beginning on, found parts of them',
    );
  }
  const optional = (name: string, bytes: Uint8Array | undefined) =>
    bytes === undefined ? {} : { [name]: encodeBase64(bytes) };
  const document = {
    format: { name: 'vouchsafe-evidence', major: 1 },
    atMs,
    evidence: {
      attest: encodeBase64(evidence.quote.attest),
      signature: encodeBase64(evidence.quote.signature),
      pcrs: evidence.quote.pcrs.map(({ bank, pcr, value }) => ({ bank: formatBank(bank), pcr, value: toHex(value) })),
      logs: {
        firmware: encodeBase64(firmware.bytes),
        ...optional('userspace', userspace),
        ...optional('ima', ima?.bytes),
        ...optional('launch', launch),
      },
    },
    expected: {
      key: encodeBase64(expected.key),
      selection: expected.selection.map(({ bank, pcrs }) => ({ bank: formatBank(bank), pcrs: [...pcrs] })),
      nonce: encodeBase64(expected.nonce),
    },
    ...(machine === undefined ? {} : { machine }),
    identity,
    ...(pinnedSystem === undefined ? {} : { pinnedSystem }),
    references: {
      ...references,
      ...(references.imaKeys === undefined ? {} : { imaKeys: references.imaKeys.map(encodeBase64) }),
      images: references.images.map(({ manifest, life, fileLists }) => ({
        manifest: manifest.manifest,
        life,
        ...(fileLists === undefined ? {} : { fileLists }),
      })),
    },
  };
  requireSchema(document);
  return canonicalJson(document);
}

/**
 * A bundle from its bytes. Whoever wrote it says what is expected: it is for trying policies and for looking into a case,
 * and no evidence for anybody else.
 * @throws {AppraiseError} 'bundle_malformed' with the place.
 */
export function parseBundle(bytes: Uint8Array): EvidenceBundle {
  if (bytes.length > MAX_BYTES) throw malformed(`expected at most ${MAX_BYTES} octets, found ${bytes.length}`);
  try {
    return bundleOf(requireSchema(JSON.parse(parseUtf8(bytes))));
  } catch (cause) {
    const isExpected =
      cause instanceof SyntaxError ||
      cause instanceof TextError ||
      cause instanceof HexError ||
      cause instanceof PkiError ||
      cause instanceof ManifestError ||
      cause instanceof TpmError;
    throw isExpected ? malformed(`expected a bundle of evidence: ${cause.message}`, cause) : cause;
  }
}

function bundleOf(document: BundleDocument): EvidenceBundle {
  const { atMs, evidence, expected, machine, identity, pinnedSystem, references } = document;
  const { firmware, userspace, ima, launch } = evidence.logs;
  const firmwareBytes = parseBase64(firmware);
  const key = parseBase64(expected.key);
  // Here and not in the midst of an appraisal.
  signingKeyFromSpki(key);
  return {
    atMs,
    evidence: {
      quote: {
        attest: parseBase64(evidence.attest),
        signature: parseBase64(evidence.signature),
        pcrs: evidence.pcrs.map(({ bank, pcr, value }) => ({ bank, pcr, value: parseHex(value) })),
      },
      logs: {
        firmware: { sha256: toHex(digest('sha256', firmwareBytes)), bytes: firmwareBytes },
        ...(userspace === undefined ? {} : { userspace: parseBase64(userspace) }),
        ...(ima === undefined ? {} : { ima: { offset: 0, bytes: parseBase64(ima) } }),
        ...(launch === undefined ? {} : { launch: parseBase64(launch) }),
      },
    },
    expected: { key, selection: expected.selection, nonce: parseBase64(expected.nonce) },
    ...(machine === undefined ? {} : { machine }),
    identity,
    ...(pinnedSystem === undefined ? {} : { pinnedSystem }),
    references: referencesOf(references),
  };
}

function referencesOf({ images, imaKeys, ...rest }: BundleDocument['references']): ReferenceSet {
  // JSON has no members without a value, so that what is optional is absent.
  const others = rest as Omit<ReferenceSet, 'images' | 'imaKeys'>;
  return {
    ...others,
    ...(imaKeys === undefined ? {} : { imaKeys: imaKeys.map(parseBase64) }),
    images: images.map(({ manifest, life, fileLists }) => ({
      manifest: { manifest, bytes: encodeManifest(manifest) },
      life: life as ReferenceSet['images'][number]['life'],
      ...(fileLists === undefined ? {} : { fileLists }),
    })),
  };
}

/** What an appraisal of the bundle takes, but for references and policy, which are prepared by the caller. */
export function inputOf(bundle: EvidenceBundle): Omit<AppraisalInput, 'references' | 'policy'> {
  const { atMs, evidence, expected, identity, machine, pinnedSystem } = bundle;
  return {
    evidence,
    expected: { ...expected, key: signingKeyFromSpki(expected.key) },
    identity,
    ...(machine === undefined ? {} : { machine }),
    ...(pinnedSystem === undefined ? {} : { pinnedSystem }),
    nowMs: atMs,
  };
}

function requireSchema(document: unknown): BundleDocument {
  if (Value.Check(bundleSchema, document)) return document;
  const [first] = Value.Errors(bundleSchema, document);
  throw malformed(`${first?.instancePath || 'bundle'}: ${first?.message ?? 'it does not fit'}`);
}

function malformed(message: string, cause?: unknown): AppraiseError {
  return new AppraiseError('bundle_malformed', message, cause === undefined ? {} : { cause });
}
