// SPDX-License-Identifier: Apache-2.0
import { enumOf, struct, u16be, u32be } from '@vouchsafe/codec';

/** TPMI_ST_COMMAND_TAG. TPM 2.0 Library, Part 2, section 9.35. */
export const tpmiStCommandTag = enumOf(u16be, { noSessions: 0x8001, sessions: 0x8002 });

/** Tag of an answer; a TPM answers a command of a version it does not know with TPM_ST_RSP_COMMAND. Part 2, section 6.9. */
const responseTag = enumOf(u16be, { responseCommand: 0x00c4, noSessions: 0x8001, sessions: 0x8002 });

/** Head of every command. TPM 2.0 Library, Part 1, section 18.2. */
export const commandHeader = struct('command header', {
  tag: tpmiStCommandTag,
  commandSize: [u32be, 'octets of the whole command'],
  commandCode: [u32be, 'TPM_CC'],
});

/** Head of every response. TPM 2.0 Library, Part 1, section 18.2 (Command/Response Header Fields). */
export const responseHeader = struct('response header', {
  tag: responseTag,
  responseSize: [u32be, 'octets of the whole response'],
  responseCode: [u32be, 'TPM_RC'],
});

/** Octets of either head. */
export const HEADER_BYTES = 10;
