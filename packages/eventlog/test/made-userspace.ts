// SPDX-License-Identifier: Apache-2.0
import { toHex, utf8 } from '@vouchsafe/base';
import { tpmDigest } from '@vouchsafe/tpm';

/** A record to write. */
export interface MadeRecord {
  readonly pcr?: number;
  readonly nvIndex?: number;
  readonly nvIndexName?: string;
  readonly rtmr?: number;
  readonly eventType: string;
  readonly string: string;
  /** What was measured; the string unless given. */
  readonly measured?: string;
  readonly banks?: readonly ('sha1' | 'sha256' | 'sha384')[];
}

/** One record as systemd 252 to 262 write it: tpm2-util.c and the logs of TDX guests. */
export function record({
  pcr,
  nvIndex,
  nvIndexName,
  rtmr,
  eventType,
  string,
  measured = string,
  banks = ['sha256'],
}: MadeRecord): Uint8Array {
  const digests = banks.map((hashAlg) => ({ hashAlg, digest: toHex(tpmDigest(hashAlg, utf8(measured))) }));
  const content = { nvIndexName, string, bootId: '5f'.repeat(16), timestamp: 12345678, eventType };
  const value = { pcr, nv_index: nvIndex, rtmr, digests, content_type: 'systemd', content };
  return utf8(`\u001e${JSON.stringify(value)}\n`);
}

export const phase = (string: string, pcr = 11): MadeRecord => ({ pcr, eventType: 'phase', string });
export const BOOT: readonly MadeRecord[] = [
  phase('enter-initrd'),
  { pcr: 15, eventType: 'volume-key', string: 'cryptsetup:root:5f5f', measured: 'an HMAC of the key' },
  phase('leave-initrd'),
  { pcr: 15, eventType: 'machine-id', string: 'machine-id:5f5f5f' },
  { pcr: 15, eventType: 'filesystem', string: 'file-system:/:…:ext4' },
  phase('sysinit'),
  phase('ready'),
];
