// SPDX-License-Identifier: Apache-2.0
import { command } from '../command/command.ts';
import { tpmiAlgHash, tpmiAlgHashOrNull } from '../structures/algorithm.ts';
import { tpm2bDigest, tpm2bMaxBuffer } from '../structures/buffer.ts';
import { TPM_CC } from '../structures/command-code.ts';
import { tpmlDigestValues } from '../structures/ha.ts';
import { tpmiRhHierarchy } from '../structures/handle.ts';
import { tpm2bAuth } from '../structures/sensitive.ts';
import { tpmtTicket } from '../structures/ticket.ts';

/** Part 3, section 15.4. */
export const tpm2Hash = command('TPM2_Hash', {
  code: TPM_CC.hash,
  parameters: { data: tpm2bMaxBuffer, hashAlg: tpmiAlgHash, hierarchy: [tpmiRhHierarchy, 'of the ticket'] },
  response: { outHash: tpm2bDigest, validation: tpmtTicket },
});

/** Part 3, section 15.5. */
export const tpm2Hmac = command('TPM2_HMAC', {
  code: TPM_CC.hmac,
  handles: { handle: 'user' },
  parameters: { buffer: tpm2bMaxBuffer, hashAlg: tpmiAlgHashOrNull },
  response: { outHMAC: tpm2bDigest },
});

/** Part 3, section 17.2. */
export const tpm2HmacStart = command('TPM2_HMAC_Start', {
  code: TPM_CC.hmacStart,
  handles: { handle: 'user' },
  parameters: { auth: tpm2bAuth, hashAlg: tpmiAlgHashOrNull },
  responseHandles: ['sequenceHandle'],
  secret: 'request',
});

/** Part 3, section 17.3. The hash null starts an event sequence, over all banks. */
export const tpm2HashSequenceStart = command('TPM2_HashSequenceStart', {
  code: TPM_CC.hashSequenceStart,
  parameters: { auth: tpm2bAuth, hashAlg: tpmiAlgHashOrNull },
  responseHandles: ['sequenceHandle'],
  secret: 'request',
});

/** Part 3, section 17.4. */
export const tpm2SequenceUpdate = command('TPM2_SequenceUpdate', {
  code: TPM_CC.sequenceUpdate,
  handles: { sequenceHandle: 'user' },
  parameters: { buffer: tpm2bMaxBuffer },
});

/** Part 3, section 17.5. The sequence is no more after it. */
export const tpm2SequenceComplete = command('TPM2_SequenceComplete', {
  code: TPM_CC.sequenceComplete,
  handles: { sequenceHandle: 'user' },
  parameters: { buffer: tpm2bMaxBuffer, hierarchy: [tpmiRhHierarchy, 'of the ticket'] },
  response: { result: tpm2bDigest, validation: tpmtTicket },
});

/** Part 3, section 17.6. Extends the digests of all banks into a PCR. */
export const tpm2EventSequenceComplete = command('TPM2_EventSequenceComplete', {
  code: TPM_CC.eventSequenceComplete,
  handles: { pcrHandle: 'user', sequenceHandle: 'user' },
  parameters: { buffer: tpm2bMaxBuffer },
  response: { results: tpmlDigestValues },
});
