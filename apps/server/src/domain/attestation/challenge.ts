// SPDX-License-Identifier: Apache-2.0
import { wantedImaOffset } from '@vouchsafe/appraise';
import { type Challenge, encodeBase64url } from '@vouchsafe/protocol';
import type { PcrSelection } from '@vouchsafe/tpm';
import type { Snapshot } from '../references/snapshot.ts';
import type { Service } from '../service.ts';
import type { KnownDevice } from './device-cache.ts';
import { issueNonce, type NonceTerms } from './nonce.ts';

const BANK = 'sha256';
/** PCRs that the static boot decides, and those of a dynamic launch. TCG PC Client Platform TPM Profile, 4.6.2. */
const STATIC = Array.from({ length: 16 }, (_, pcr) => pcr);
const LAUNCH = [17, 18, 19, 20, 21, 22];

/** What a quote over such a nonce must cover, exactly. */
export const selectionFor = ({ wantsLaunch }: NonceTerms): PcrSelection[] => [
  { bank: BANK, pcrs: wantsLaunch ? [...STATIC, ...LAUNCH] : STATIC },
];

const WIRE_SELECTIONS = {
  plain: [{ bank: BANK, pcrs: STATIC }] satisfies Challenge['selection'],
  launch: [{ bank: BANK, pcrs: [...STATIC, ...LAUNCH] }] satisfies Challenge['selection'],
};

/** What to quote, over which nonce, and which logs are wanted. Nothing is kept of it. */
export function buildChallenge(
  service: Service,
  device: KnownDevice,
  { references }: Snapshot,
  nowMs: number,
): Challenge {
  const { wantsLaunch, challengeMs } = service.config.attestation;
  const { state, row } = device;
  const nonce = issueNonce(service.nonceKey, { deviceId: row.id, akName: row.ak_name }, nowMs, { wantsLaunch });
  // The log that is held is that of the state's boot; another may have begun meanwhile, which the machine knows.
  const firmwareSha256 = row.boot_log_sha256 ?? undefined;
  return {
    nonce: encodeBase64url(nonce),
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + challengeMs,
    selection: wantsLaunch ? WIRE_SELECTIONS.launch : WIRE_SELECTIONS.plain,
    logs: {
      ...(firmwareSha256 === undefined ? {} : { firmwareSha256 }),
      // Once it was appraised with the boot it need not be sent again.
      userspace: state?.settled === undefined || state.userspaceSha256 === '',
      imaOffset: wantedImaOffset(state, references),
      launch: wantsLaunch,
    },
  };
}
