// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { concatBytes, toHex, utf8 } from '@vouchsafe/base';
import { encode, u32le } from '@vouchsafe/codec';
import { encodeFileList } from '@vouchsafe/manifest';
import { encodeBase64url } from '@vouchsafe/protocol';
import {
  bootEvents,
  event,
  logOf,
  type MadeBoot,
  pcrsAfter,
  sha256,
  signedManifest,
} from '../../test/support/made-boot.ts';
import type { Template } from './fill-fleet.ts';
import type { LoadBoot } from './load-device.ts';

/** Of each event beside the usual ones: what boot loaders measure of themselves and of their configuration. */
const EVENT_CHARS = 256;
const IMA_PCR = 10;

export interface FirstBootOptions {
  readonly logBytes: number;
  /** Files that were used since; none where the kernel does not measure them. */
  readonly imaEntries: number;
}

/**
 * A boot of an image that the service is told of here, with logs as they are sent once in each boot.
 * @returns the boot, for a count of resets
 */
export async function addFirstBoot(
  { workshop }: Pick<Template, 'workshop'>,
  { logBytes, imaEntries }: FirstBootOptions,
): Promise<(resetCount: number) => LoadBoot> {
  const plainBytes = logOf(bootEvents()).length;
  const more = Array.from({ length: Math.max(0, Math.ceil((logBytes - plainBytes) / (EVENT_CHARS + 50))) }, (_, i) =>
    event(9, 'EV_EVENT_TAG', `file ${i} `.padEnd(EVENT_CHARS, 'x')),
  );
  const boot: MadeBoot = { more };
  const files = Array.from({ length: imaEntries }, (_, i) => ({
    path: `/usr/lib/x86_64-linux-gnu/lib${String(i).padStart(5, '0')}.so.1`,
    sizeBytes: 100_000,
    sha256: toHex(sha256(utf8(`content ${i}`))),
    isExecutable: true,
  }));
  const list = encodeFileList({ of: 'root', files }, 'root.files.json');
  const { signer } = workshop.manifestSigner;
  const envelope = await signedManifest(signer, '1.5.0', boot, [], imaEntries === 0 ? [] : [list.part]);
  const { body } = await workshop.call('POST', '/v1/references', { envelope, life: 'active' });
  if (imaEntries > 0) {
    const part = { bytes: encodeBase64url(list.bytes) };
    const answer = await workshop.call('PUT', `/v1/references/${body.sha256}/parts`, part);
    if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
  }
  const events = bootEvents(boot);
  const pcrs = pcrsAfter(events);
  const log = logOf(events);
  const ima = imaEntries === 0 ? undefined : imaListOf(pcrs, files);
  const firmwareSha256 = toHex(sha256(log));
  return (resetCount) => ({
    pcrs: ima === undefined ? pcrs : pcrs.with(IMA_PCR, ima.pcr),
    firmwareSha256,
    resetCount,
    logs: {
      firmware: { sha256: firmwareSha256, bytes: encodeBase64url(log) },
      ...(ima === undefined ? {} : { ima: { offset: 0, bytes: ima.text } }),
    },
  });
}

const u32 = (value: number): Uint8Array => encode(u32le, value);
const sized = (bytes: Uint8Array): Uint8Array => concatBytes(u32(bytes.length), bytes);

/** A list as Linux writes it, of the template ima-ng (security/integrity/ima/ima_template_lib.c), and the PCR after it. */
function imaListOf(
  pcrs: readonly Uint8Array[],
  files: readonly { readonly path: string; readonly sha256: string }[],
): { readonly text: string; readonly pcr: Uint8Array } {
  const used = [
    { path: 'boot_aggregate', digest: sha256(...pcrs.slice(0, IMA_PCR)) },
    ...files.slice(1).map((one) => ({ path: one.path, digest: Uint8Array.from(Buffer.from(one.sha256, 'hex')) })),
  ];
  let pcr = new Uint8Array(32);
  const entries = used.map(({ path, digest }) => {
    const data = concatBytes(sized(concatBytes(utf8('sha256:\0'), digest)), sized(utf8(`${path}\0`)));
    pcr = Uint8Array.from(sha256(pcr, sha256(data)));
    // SHA-1 stands there whatever the bank of the PCR is: ima_fs.c, ima_measurements_show.
    const sha1 = Uint8Array.from(createHash('sha1').update(data).digest());
    return concatBytes(u32(IMA_PCR), sha1, sized(utf8('ima-ng')), sized(data));
  });
  return { text: encodeBase64url(concatBytes(...entries)), pcr };
}
