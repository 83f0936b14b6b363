// SPDX-License-Identifier: Apache-2.0
import { u32be } from '@vouchsafe/codec';
import { command } from '../command/command.ts';
import { TPM_CC } from '../structures/command-code.ts';
import { tpmsContext } from '../structures/context.ts';

/** Part 3, section 28.2. */
export const tpm2ContextSave = command('TPM2_ContextSave', {
  code: TPM_CC.contextSave,
  handles: { saveHandle: 'none' },
  response: { context: tpmsContext },
});

/** Part 3, section 28.3. */
export const tpm2ContextLoad = command('TPM2_ContextLoad', {
  code: TPM_CC.contextLoad,
  parameters: { context: tpmsContext },
  responseHandles: ['loadedHandle'],
});

/** Part 3, section 28.4. The handle is a parameter, since a saved session has one and is not loaded. */
export const tpm2FlushContext = command('TPM2_FlushContext', {
  code: TPM_CC.flushContext,
  parameters: { flushHandle: u32be },
});

/** Part 3, section 28.5: makes a transient object persistent, or a persistent one go. */
export const tpm2EvictControl = command('TPM2_EvictControl', {
  code: TPM_CC.evictControl,
  handles: { auth: 'user', objectHandle: 'none' },
  parameters: { persistentHandle: u32be },
});
