// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { CodecError, decode } from '@vouchsafe/codec';
import { digest } from '@vouchsafe/crypto';
import { randomBytes } from '@vouchsafe/crypto/signing';
import { fingerprintOf, PkiError } from '@vouchsafe/pki';
import { type EnrolmentChallenge, type EnrolmentRequest, encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import {
  checkAttestationKey,
  importSigningKey,
  makeCredential,
  nameOf,
  spkiOf,
  TpmError,
  type TpmtPublic,
  tpmtPublic,
} from '@vouchsafe/tpm';
import { ServerError } from '../../error.ts';
import type { EnrolmentRow } from '../../store/rows/enrolments.ts';
import { newId, sha256Of } from '../random.ts';
import type { Service } from '../service.ts';
import { checkIdentity } from './check-identity.ts';
import { findWayIn } from './find-way-in.ts';
import type { OfferedIdentity } from './offered-identity.ts';

/** For TPM2_ActivateCredential, which takes seconds on a slow TPM, and a retry. */
const PROOF_MS = 10 * 60_000;
const SECRET_BYTES = 32;
/** Findings that are told. */
const MAX_FINDINGS = 32;

/**
 * The first half: a machine says who it is and gets a riddle that only the TPM of that endorsement key, holding that
 * attestation key, can solve (TPM2_MakeCredential). Nothing is believed before the second half.
 * @throws {ServerError} 'endorsement_refused', 'attestation_key_refused', 'joining_refused', 'identity_taken'
 */
export async function beginEnrolment(service: Service, request: EnrolmentRequest): Promise<EnrolmentChallenge> {
  const nowMs = service.clock();
  const offered = await checkOffer(service, request, nowMs);
  const akName = toHex(offered.akName);
  const way = await findWayIn(service, request, offered, akName, nowMs);
  const secret = randomBytes(SECRET_BYTES);
  const { credentialBlob, secret: encryptedSecret } = makeCredential(offered.ek, offered.akName, secret, randomBytes);
  const row: EnrolmentRow = {
    id: newId(),
    device_id: way.deviceId,
    request: way.joinedBy === 'again' ? '{}' : kept(request),
    ek_sha256: offered.ekSha256,
    ak_name: akName,
    ek_facts: JSON.stringify(describe(offered)),
    joined_by: way.joinedBy,
    token_id: way.tokenId ?? null,
    secret_sha256: sha256Of(secret),
    expires_at_ms: nowMs + PROOF_MS,
    state: 'challenged',
  };
  await service.store.write((tx) => tx.enrolments.insert(row));
  return {
    enrolmentId: row.id,
    credential: { idObject: encodeBase64url(credentialBlob), encryptedSecret: encodeBase64url(encryptedSecret) },
    expiresAtMs: row.expires_at_ms,
  };
}

/**
 * What is needed of a request when the proof comes; of a machine that is known nothing, so that nobody fills the database with
 * requests of those whose certificates they know.
 */
const kept = (request: EnrolmentRequest): string =>
  JSON.stringify(request, (key, value) => (key === 'token' ? undefined : value));

async function checkOffer(service: Service, request: EnrolmentRequest, nowMs: number): Promise<OfferedIdentity> {
  const ek = decodePublic(request.endorsement.publicArea, 'endorsement_refused');
  const ak = decodePublic(request.attestationKey, 'attestation_key_refused');
  const unfit = checkAttestationKey(ak);
  if (unfit.length > 0) {
    const message = `the attestation key is not fit: ${unfit.map(({ code, where }) => `${code} ${where.path ?? ''}`).join(', ')}`;
    throw new ServerError('attestation_key_refused', message, { members: { findings: unfit.slice(0, MAX_FINDINGS) } });
  }
  const { trust } = await service.references.refresh();
  const platformCertificates = request.platformCertificates.map(parseBase64url);
  const { endorsementKey, platform, findings } = checkEvidence(service, request, ek, trust, nowMs);
  if (endorsementKey === undefined) {
    const errors = findings.filter(({ severity }) => severity === 'error');
    throw new ServerError('endorsement_refused', errors.map(({ code, hint }) => `${code}: ${hint}`).join('; '), {
      members: { findings: findings.slice(0, MAX_FINDINGS) },
    });
  }
  return withTpmErrors('attestation_key_refused', () => {
    // Whether signatures of it can be checked is found now and not at the first attestation.
    importSigningKey(ak);
    const ekSha256 = toHex(digest('sha256', spkiOf(ek)));
    return {
      ek,
      ekSha256,
      endorsementKey,
      platform,
      akName: nameOf({ value: ak, bytes: parseBase64url(request.attestationKey) }),
      listedAs: [
        ekSha256,
        toHex(fingerprintOf(endorsementKey.certificate)),
        ...(platform === undefined ? [] : platformCertificates.map(sha256Of)),
      ],
    };
  });
}

function checkEvidence(
  { config }: Service,
  { endorsement, platformCertificates }: EnrolmentRequest,
  ek: TpmtPublic,
  trust: Parameters<typeof checkIdentity>[1],
  nowMs: number,
): ReturnType<typeof checkIdentity> {
  try {
    return checkIdentity(
      {
        ek,
        certificates: endorsement.certificates.map(parseBase64url),
        platformCertificates: platformCertificates.map(parseBase64url),
      },
      trust,
      { nowMs, acceptExpired: config.attestation.acceptExpiredEndorsements },
    );
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw new ServerError('endorsement_refused', `the endorsement certificate cannot be read: ${cause.message}`, {
      cause,
    });
  }
}

type Refusal = 'endorsement_refused' | 'attestation_key_refused';

function decodePublic(text: string, code: Refusal): TpmtPublic {
  try {
    return decode(tpmtPublic, parseBase64url(text));
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    throw new ServerError(code, `the public area is no TPMT_PUBLIC: ${cause.message}`, { cause });
  }
}

function withTpmErrors<T>(code: Refusal, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof TpmError)) throw cause;
    throw new ServerError(code, cause.message, { cause });
  }
}

/** What operators are shown of it. */
function describe({ endorsementKey: { tpm }, platform }: OfferedIdentity): object {
  const { manufacturer, model, version } = tpm;
  return {
    tpm: {
      ...(manufacturer === undefined ? {} : { manufacturer: manufacturer.name ?? manufacturer.vendorId }),
      ...(model === undefined ? {} : { model }),
      ...(version === undefined ? {} : { version }),
    },
    ...(platform === undefined
      ? {}
      : { platform: { manufacturer: platform.certificate.manufacturer, model: platform.certificate.model } }),
  };
}
