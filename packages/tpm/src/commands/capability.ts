// SPDX-License-Identifier: Apache-2.0
import { u32be } from '@vouchsafe/codec';
import { command } from '../command/command.ts';
import { tpmiYesNo } from '../structures/buffer.ts';
import { tpmCap, tpmsCapabilityData } from '../structures/capability.ts';
import { TPM_CC } from '../structures/command-code.ts';

/** Part 3, section 30.2. */
export const tpm2GetCapability = command('TPM2_GetCapability', {
  code: TPM_CC.getCapability,
  parameters: {
    capability: tpmCap,
    property: [u32be, 'where to begin'],
    propertyCount: u32be,
  },
  response: { moreData: tpmiYesNo, capabilityData: tpmsCapabilityData },
});
