// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, parseUtf8, TextError } from '@vouchsafe/base';
import type { TSchema } from 'typebox';
import Value from 'typebox/value';
import { ManifestError } from '../error.ts';
import { canonicalJson } from './canonical.ts';
import { checkManifest } from './check.ts';
import { FORMAT_MAJOR, FORMAT_MINOR, LIMITS, type Manifest, manifestSchema, newerManifestSchema } from './schema.ts';

/**
 * A manifest from its bytes, which are not trusted by being one: `verifyManifest` is for that. Read are all of this major
 * form: of a newer minor one what is new is passed over, unless it is listed as critical. Only canonical bytes are taken, so
 * that one content has one digest and nothing hides in a name that stands twice.
 * @throws {ManifestError} 'manifest_malformed', 'manifest_not_canonical', 'manifest_version', 'manifest_limit'.
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  const document = parseCanonicalJson(bytes, LIMITS.bytes, 'manifest');
  const { minor } = requireVersion(document);
  requireSchema(minor > FORMAT_MINOR ? newerManifestSchema : manifestSchema, document);
  const manifest = document as Manifest;
  checkManifest(manifest);
  return manifest;
}

/**
 * The bytes that are signed.
 * @throws {ManifestError} 'manifest_malformed' when it is none, 'manifest_limit'.
 */
export function encodeManifest(manifest: Manifest): Uint8Array {
  requireSchema(manifestSchema, manifest);
  checkManifest(manifest);
  const bytes = canonicalJson(manifest);
  requireSize(bytes, LIMITS.bytes, 'manifest');
  return bytes;
}

/** @throws {ManifestError} 'manifest_malformed', 'manifest_not_canonical', 'manifest_limit'. */
export function parseCanonicalJson(bytes: Uint8Array, maxBytes: number, what: string): unknown {
  requireSize(bytes, maxBytes, what);
  let document: unknown;
  try {
    document = JSON.parse(parseUtf8(bytes));
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TextError)) throw cause;
    throw new ManifestError('manifest_malformed', `expected the JSON of a ${what}: ${cause.message}`, { cause });
  }
  if (!bytesEqual(canonicalJson(document), bytes)) {
    const message = `expected a ${what} in canonical form (RFC 8785), found other bytes of the same content; it was changed after it was made`;
    throw new ManifestError('manifest_not_canonical', message);
  }
  return document;
}

function requireSize(bytes: Uint8Array, most: number, what: string): void {
  if (bytes.length <= most) return;
  throw new ManifestError('manifest_limit', `expected a ${what} of at most ${most} octets, found ${bytes.length}`);
}

/** @throws {ManifestError} 'manifest_malformed' with the place of the first fault. */
export function requireSchema(schema: TSchema, document: unknown): void {
  if (Value.Check(schema, document)) return;
  const [first] = Value.Errors(schema, document);
  throw new ManifestError('manifest_malformed', first?.message ?? 'it does not fit the schema', {
    path: first?.instancePath ?? '',
  });
}

/** Before all else, as nothing is known of the rest of another form. */
function requireVersion(document: unknown): { readonly minor: number } {
  const format = memberOf(document, 'format');
  const [formatName, major, minor, critical] = ['name', 'major', 'minor', 'critical'].map((key) =>
    memberOf(format, key),
  );
  if (formatName !== 'vouchsafe-manifest' || typeof major !== 'number' || typeof minor !== 'number') {
    const message = "expected { name: 'vouchsafe-manifest', major, minor }, found something else";
    throw new ManifestError('manifest_malformed', message, { path: '/format' });
  }
  const refuse = (message: string): ManifestError =>
    new ManifestError('manifest_version', `${message}; a newer vouchsafe reads it`, { path: '/format' });
  if (major !== FORMAT_MAJOR) throw refuse(`expected form ${FORMAT_MAJOR}, found ${major}.${minor}`);
  // All that this reader knows is in its schema; whatever is listed is something else.
  const unknown = Array.isArray(critical)
    ? critical.find((key) => !(String(key) in manifestSchema.properties))
    : undefined;
  if (unknown !== undefined)
    throw refuse(`expected nothing critical that is not known here, found ${String(unknown).slice(0, 80)}`);
  return { minor };
}

function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}
