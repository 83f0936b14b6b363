// SPDX-License-Identifier: Apache-2.0
import { ascii, concatBytes, parseUtf8, TextError, toHex, utf8 } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { encodeBase64, importKey, isSignatureBy, PkiError, parseBase64, type Signer, signWith } from '@vouchsafe/pki';
import Type from 'typebox';
import Value from 'typebox/value';
import { ManifestError } from '../error.ts';

/** Signatures of one envelope; more would only cost time. */
const MAX_SIGNATURES = 16;

/** DSSE, envelope.md of secure-systems-lab/dsse, version 1. Unknown members are passed over, as it wants. */
const envelopeSchema = Type.Object({
  payloadType: Type.String({ maxLength: 256 }),
  payload: Type.String(),
  signatures: Type.Array(
    Type.Object({ keyid: Type.Optional(Type.String({ maxLength: 256 })), sig: Type.String({ maxLength: 2048 }) }),
    {
      minItems: 1,
      maxItems: MAX_SIGNATURES,
    },
  ),
});

/** What is signed: the pre-authentication encoding. DSSE, protocol.md, "Signature Definition". */
function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8(payloadType);
  return concatBytes(ascii(`DSSEv1 ${type.length} `), type, ascii(` ${payload.length} `), payload);
}

/** A hint which key signed: SHA-256 of its SubjectPublicKeyInfo. Never decides anything. */
function keyIdOf(spki: Uint8Array): string {
  return toHex(digest('sha256', spki));
}

/**
 * Signs a payload. Ed25519 alone: a signature without a random part, so that what is built twice is the same twice.
 * @throws {ManifestError} 'options_invalid' for another key. @throws {PkiError} as the signer.
 */
export async function signEnvelope(payloadType: string, payload: Uint8Array, signer: Signer): Promise<Uint8Array> {
  if (signer.scheme.kind !== 'ed25519') {
    const message = `expected an Ed25519 key, as keys generate makes one for manifests, found ${signer.scheme.kind}`;
    throw new ManifestError('options_invalid', message);
  }
  const signature = await signWith(signer, preAuthenticationEncoding(payloadType, payload));
  const envelope = {
    payloadType,
    payload: encodeBase64(payload),
    signatures: [{ keyid: keyIdOf(signer.spki), sig: encodeBase64(signature) }],
  };
  return utf8(`${JSON.stringify(envelope)}\n`);
}

export interface OpenedEnvelope {
  readonly payload: Uint8Array;
  /** SPKI of the key whose signature held. */
  readonly signedBy: Uint8Array;
}

/**
 * The payload, once one of the keys has signed it.
 * @param keys SPKI of the keys that are trusted for this type, Ed25519. @param maxBytes of the payload.
 * @throws {ManifestError} 'envelope_malformed', 'payload_type', 'signature_missing', 'manifest_limit'.
 */
export function openEnvelope(
  bytes: Uint8Array,
  payloadType: string,
  keys: readonly Uint8Array[],
  maxBytes: number,
): OpenedEnvelope {
  const envelope = parseEnvelope(bytes, payloadType, maxBytes);
  const message = preAuthenticationEncoding(payloadType, envelope.payload);
  for (const spki of keys) {
    const key = importKey(spki);
    // Whatever an envelope says of its keys, each trusted one is tried: the hint is not signed.
    if (envelope.signatures.some((signature) => isSignatureBy(key, { kind: 'ed25519' }, message, signature))) {
      return { payload: envelope.payload, signedBy: spki };
    }
  }
  const hints = envelope.keyIds.map((id) => id.slice(0, 16)).join(', ') || 'none named';
  const text = `expected a signature by one of ${keys.length} trusted keys (${keys.map((key) => keyIdOf(key).slice(0, 16)).join(', ')}), found none that holds; the envelope names ${hints}`;
  throw new ManifestError('signature_missing', text);
}

/** The payload of an envelope that nobody has vouched for; for showing, never for deciding. */
export function payloadOf(bytes: Uint8Array, payloadType: string, maxBytes: number): Uint8Array {
  return parseEnvelope(bytes, payloadType, maxBytes).payload;
}

function parseEnvelope(bytes: Uint8Array, payloadType: string, maxBytes: number) {
  // Base64 takes a third more; signatures and names are small.
  const most = Math.ceil(maxBytes / 3) * 4 + 64 * 1024;
  if (bytes.length > most) {
    throw new ManifestError('manifest_limit', `expected an envelope of at most ${most} octets, found ${bytes.length}`);
  }
  try {
    const document: unknown = JSON.parse(parseUtf8(bytes));
    if (!Value.Check(envelopeSchema, document)) {
      const [first] = Value.Errors(envelopeSchema, document);
      throw new ManifestError('envelope_malformed', `${first?.message ?? 'it does not fit'}`, {
        path: first?.instancePath ?? '',
      });
    }
    if (document.payloadType !== payloadType) {
      const message = `expected an envelope of ${payloadType}, found ${document.payloadType}`;
      throw new ManifestError('payload_type', message);
    }
    return {
      payload: parseBase64(document.payload),
      signatures: document.signatures.map(({ sig }) => parseBase64(sig)),
      keyIds: document.signatures.flatMap(({ keyid }) => (keyid === undefined ? [] : [keyid])),
    };
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TextError || cause instanceof PkiError)) throw cause;
    throw new ManifestError('envelope_malformed', `expected a DSSE envelope: ${cause.message}`, { cause });
  }
}
