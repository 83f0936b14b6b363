// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import { bytes, CodecError, constant, decode, struct, u8 } from '@vouchsafe/codec';
import type { LogEvent } from '../event.ts';

/** TCG_EfiStartupLocalityEvent. TCG PC Client Platform Firmware Profile 1.06, section 10.4.5.3. */
export const tcgEfiStartupLocalityEvent = struct('TCG_EfiStartupLocalityEvent', {
  signature: constant(bytes(16), ascii('StartupLocality\0')),
  startupLocality: [u8, 'the locality of TPM2_Startup; 4 after an H-CRTM'],
});

/** The locality that an event declares, or undefined where it is no such event. */
export function startupLocalityOf(event: LogEvent): number | undefined {
  if (event.type !== 'EV_NO_ACTION' || event.data.length !== tcgEfiStartupLocalityEvent.size) return undefined;
  try {
    return decode(tcgEfiStartupLocalityEvent, event.data).startupLocality;
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
