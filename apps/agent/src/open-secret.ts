// SPDX-License-Identifier: Apache-2.0
import { ascii, concatBytes, utf8 } from '@vouchsafe/base';
import { decryptAesGcm } from '@vouchsafe/crypto';
import { type GrantedSecret, parseBase64url, SECRET_LABEL } from '@vouchsafe/protocol';
import { AgentError } from './error.ts';
import type { MachineKeys, MachineTpm } from './machine-tpm.ts';

const KEY_BYTES = 32;
const GCM_NONCE_BYTES = 12;

/**
 * A secret out of the envelope in which it came: its key is encrypted to this machine's TPM.
 * @throws {AgentError} 'secret_refused', 'secret_malformed'
 */
export async function openSecret(
  tpm: MachineTpm,
  keys: MachineKeys,
  deviceId: string,
  granted: GrantedSecret,
): Promise<Uint8Array> {
  if (granted.state === 'refused') {
    throw new AgentError(
      'secret_refused',
      `${granted.name}: the service does not give it: ${granted.code}: ${granted.hint}`,
    );
  }
  const key = await tpm.decrypt(keys, parseBase64url(granted.wrappedKey), ascii(SECRET_LABEL));
  const box = parseBase64url(granted.box);
  if (key.length === KEY_BYTES) {
    const associated = concatBytes(utf8(deviceId), Uint8Array.of(0), utf8(granted.name));
    const plain = decryptAesGcm(key, box.subarray(0, GCM_NONCE_BYTES), box.subarray(GCM_NONCE_BYTES), associated);
    if (plain !== undefined) return plain;
  }
  const message = `${granted.name}: expected a secret that was closed for this machine under this name, found another`;
  throw new AgentError('secret_malformed', message);
}
