// SPDX-License-Identifier: Apache-2.0
import { command } from '../command/command.ts';
import { tpmiYesNo } from '../structures/buffer.ts';
import { TPM_CC } from '../structures/command-code.ts';
import { tpmSu } from '../structures/session.ts';

/** Part 3, section 9.3. */
export const tpm2Startup = command('TPM2_Startup', { code: TPM_CC.startup, parameters: { startupType: tpmSu } });

/** Part 3, section 9.4. */
export const tpm2Shutdown = command('TPM2_Shutdown', { code: TPM_CC.shutdown, parameters: { shutdownType: tpmSu } });

/** Part 3, section 10.2. */
export const tpm2SelfTest = command('TPM2_SelfTest', { code: TPM_CC.selfTest, parameters: { fullTest: tpmiYesNo } });
