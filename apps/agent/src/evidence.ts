// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { type Challenge, type Evidence, encodeBase64url, parseBase64url, WIRE_LIMITS } from '@vouchsafe/protocol';
import { AgentError } from './error.ts';
import type { LogSources } from './logs/log-sources.ts';
import type { MachineKeys, MachineTpm } from './machine-tpm.ts';

/** What goes into one answer to a challenge beside what the challenge asks for. */
export interface EvidenceRequest {
  readonly challenge: Challenge;
  readonly keys: MachineKeys;
  /** Whether the other keys are to be certified with it. */
  readonly certifiesKeys: boolean;
  /** True when the system has not started anew since the service got evidence: its offset is of this boot's list. */
  readonly isSameBoot: boolean;
  /** Sends the firmware's log whole, whatever digest the challenge names. */
  readonly sendsFirmware?: boolean;
  readonly secrets?: readonly string[];
  readonly relyingPartyNonce?: Uint8Array;
}

/**
 * The answer to a challenge: what it asks for and no more. The quote comes first and the lists that grow are read after it,
 * so that they hold all that the quote covers.
 * @throws {AgentError} 'log_missing', 'tpm_changed'; {TpmError}, {BytesError}
 */
export async function makeEvidence(tpm: MachineTpm, logs: LogSources, request: EvidenceRequest): Promise<Evidence> {
  const { challenge, keys, certifiesKeys, secrets = [], relyingPartyNonce } = request;
  const nonce = parseBase64url(challenge.nonce);
  const { quote, pcrs, keys: certified } = await tpm.attest(keys, nonce, challenge.selection, certifiesKeys);
  return {
    nonce: challenge.nonce,
    quote,
    pcrs,
    logs: wantedLogs(challenge.logs, logs, request),
    ...(certified === undefined ? {} : { keys: certified }),
    ...(secrets.length === 0 ? {} : { secrets: [...secrets] }),
    ...(relyingPartyNonce === undefined ? {} : { relyingPartyNonce: encodeBase64url(relyingPartyNonce) }),
  };
}

/**
 * The service cannot know that this machine has started anew since it asked: its offset is of the list before, and what
 * userspace measured then is no more.
 */
function wantedLogs(
  wanted: Challenge['logs'],
  logs: LogSources,
  { isSameBoot, sendsFirmware = false }: EvidenceRequest,
): Evidence['logs'] {
  const firmware = logs.readFirmware(WIRE_LIMITS.firmwareLogBytes);
  if (firmware === undefined) {
    const message =
      'expected the log of the firmware, found none; is securityfs mounted at /sys/kernel/security, and does the kernel know the TPM (tpm0)?';
    throw new AgentError('log_missing', message);
  }
  const sha256 = toHex(digest('sha256', firmware));
  const userspace = wanted.userspace || !isSameBoot ? logs.readUserspace(WIRE_LIMITS.userspaceLogBytes) : undefined;
  const launch = wanted.launch ? logs.readLaunch(WIRE_LIMITS.launchLogBytes) : undefined;
  const ima =
    wanted.imaOffset === undefined ? undefined : logs.readIma(isSameBoot ? wanted.imaOffset : 0, WIRE_LIMITS.imaBytes);
  return {
    firmware: {
      sha256,
      ...(sha256 === wanted.firmwareSha256 && !sendsFirmware ? {} : { bytes: base64urlOf(firmware) }),
    },
    ...(userspace === undefined ? {} : { userspace: base64urlOf(userspace) }),
    ...(ima === undefined ? {} : { ima: { offset: ima.offset, bytes: base64urlOf(ima.bytes) } }),
    ...(launch === undefined ? {} : { launch: base64urlOf(launch) }),
  };
}

/** A log may have megabytes, and the encoder of packages that run everywhere makes a text of single characters. */
const base64urlOf = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64url');
