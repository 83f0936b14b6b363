// SPDX-License-Identifier: Apache-2.0
import type { Evidence as AppraisedEvidence } from '@vouchsafe/appraise';
import { type Evidence, parseBase64url } from '@vouchsafe/protocol';

/** The octets of a message, as the appraisal takes them. @throws {ProtocolError} 'base64_malformed' */
export function openEvidence({ quote, pcrs, logs }: Evidence): AppraisedEvidence {
  const { firmware, userspace, ima, launch } = logs;
  return {
    quote: {
      attest: parseBase64url(quote.attest),
      signature: parseBase64url(quote.signature),
      pcrs: pcrs.map(({ bank, pcr, value }) => ({ bank, pcr, value: parseBase64url(value) })),
    },
    logs: {
      firmware: {
        sha256: firmware.sha256,
        ...(firmware.bytes === undefined ? {} : { bytes: parseBase64url(firmware.bytes) }),
      },
      ...(userspace === undefined ? {} : { userspace: parseBase64url(userspace) }),
      ...(ima === undefined ? {} : { ima: { offset: ima.offset, bytes: parseBase64url(ima.bytes) } }),
      ...(launch === undefined ? {} : { launch: parseBase64url(launch) }),
    },
  };
}

/** The same with a boot log that was sent before. */
export function withFirmwareLog(evidence: AppraisedEvidence, bytes: Uint8Array): AppraisedEvidence {
  const { firmware, ...logs } = evidence.logs;
  return { ...evidence, logs: { ...logs, firmware: { ...firmware, bytes } } };
}
