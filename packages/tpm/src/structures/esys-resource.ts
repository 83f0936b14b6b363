// SPDX-License-Identifier: Apache-2.0
import { constant, struct, u32be } from '@vouchsafe/codec';
import { tpm2bName } from './buffer.ts';
import { tpm2bNvPublic } from './nv.ts';
import { tpm2bPublic } from './public.ts';

/**
 * A persistent key as Esys_TR_Serialize writes it, and with it systemd and `tpm2_evictcontrol -o`. tpm2-tss,
 * src/tss2-esys/esys_types.h and esys_mu.c (IESYS_RESOURCE): handle, name, kind, public area.
 */
export const esysKey = struct('IESYS_RESOURCE of a key', {
  handle: u32be,
  name: [tpm2bName, 'of the public area'],
  kind: [constant(u32be, 1), 'IESYSC_KEY_RSRC'],
  public: tpm2bPublic,
});

/** An NV index so. */
export const esysNv = struct('IESYS_RESOURCE of an NV index', {
  handle: u32be,
  name: [tpm2bName, 'of the public area'],
  kind: [constant(u32be, 2), 'IESYSC_NV_RSRC'],
  public: tpm2bNvPublic,
});
