// SPDX-License-Identifier: Apache-2.0
import { u32be } from '@vouchsafe/codec';
import { command } from '../command/command.ts';
import { TPM_CC } from '../structures/command-code.ts';

/** Part 3, section 25.2. */
export const tpm2DictionaryAttackLockReset = command('TPM2_DictionaryAttackLockReset', {
  code: TPM_CC.dictionaryAttackLockReset,
  handles: { lockHandle: 'user' },
});

/** Part 3, section 25.3. */
export const tpm2DictionaryAttackParameters = command('TPM2_DictionaryAttackParameters', {
  code: TPM_CC.dictionaryAttackParameters,
  handles: { lockHandle: 'user' },
  parameters: {
    newMaxTries: [u32be, 'wrong authorizations before the TPM locks; 0 locks it at once'],
    newRecoveryTime: [u32be, 'seconds until one is forgotten; 0 switches the protection off'],
    lockoutRecovery: [u32be, 'seconds after a wrong authorization of the lockout; 0 until the next reset'],
  },
});
