// SPDX-License-Identifier: Apache-2.0
import { toHex, utf8 } from '@vouchsafe/base';
import { generateKeyPair, randomBytes } from '@vouchsafe/crypto/signing';
import { type Evidence, encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import { clientKeyTemplate, nameOf, publicArea, publicAreaFromSpki } from '@vouchsafe/tpm';
import { groupVerdicts } from '../../src/domain/audit/verdict-group.ts';
import { openStore } from '../../src/store/open-store.ts';
import { createClient } from '../../test/support/client.ts';
import { type Machine, openWorkshop, type Workshop } from '../../test/support/machine.ts';
import { logOf, pcrsAfter, sha256 } from '../../test/support/made-boot.ts';
import { trustedMachine } from '../../test/support/trusted.ts';
import { type KeyKind, type LoadBoot, type LoadDevice, type LoadKey, newLoadKey } from './load-device.ts';
import type { MeasuredServer } from './measured-server.ts';

/** The machine that all others are made after: it went the whole way, over HTTPS. */
export interface Template {
  readonly id: string;
  readonly boot: LoadBoot;
  readonly workshop: Workshop;
  readonly token: string;
  readonly machine: Machine;
}

/** Enrols a machine, makes it trusted, and gives it a client certificate. */
export async function makeTemplate(server: MeasuredServer): Promise<Template> {
  const client = createClient(server.url, { ca: server.ca });
  try {
    const token = server.token ?? '';
    const workshop = await openWorkshop({ client, adminToken: token });
    await workshop.addImage();
    const machine = await trustedMachine(workshop, 'template');
    const { objectAttributes } = clientKeyTemplate('P-256').value;
    const spki = generateKeyPair('P-256').publicKey.spki;
    const area = publicArea(publicAreaFromSpki(spki, { nameAlg: 'sha256', objectAttributes }));
    const edit = (message: Evidence): Evidence => {
      const { attest, signature } = machine.tpm.certify(area, parseBase64url(message.nonce));
      const [publicText, attestText, signatureText] = [area.bytes, attest, signature].map(encodeBase64url) as [
        string,
        string,
        string,
      ];
      return { ...message, keys: { client: { publicArea: publicText, attest: attestText, signature: signatureText } } };
    };
    const answer = await machine.attest({ edit });
    if (answer.body.certificate === undefined) throw new Error(`no certificate: ${JSON.stringify(answer.body)}`);
    const boot = {
      pcrs: pcrsAfter(machine.events),
      firmwareSha256: toHex(sha256(logOf(machine.events))),
      resetCount: machine.resetCount,
    };
    return { id: machine.id, boot, workshop, token, machine };
  } finally {
    client.close();
  }
}

export interface FleetOptions {
  readonly count: number;
  /** Of these the keys are made; the others have one that nobody holds. */
  readonly active: number;
  readonly keyKind: KeyKind;
  readonly prefix: string;
  /** The service's time. */
  readonly nowMs: number;
  /** How many different keys there are: RSA keys take a while to make. */
  readonly keys?: number;
}

const BATCH = 500;

/**
 * Puts devices into the database as they are after a trusted attestation: copies of the template's rows, each with its
 * own id and attestation key. They share the endorsement certificate's text, which the service reads for each anew.
 */
export async function fillFleet(databaseUrl: string, template: Template, options: FleetOptions): Promise<LoadDevice[]> {
  const { count, active, keyKind, prefix, nowMs, keys = active } = options;
  const store = await openStore(databaseUrl, nowMs, groupVerdicts);
  try {
    const row = await store.read.devices.find(template.id);
    const identity = await store.read.details.identity(template.id);
    const granted = await store.read.deviceKeys.state(template.id);
    const certificate = await store.read.certificates.newest(template.id, 'client');
    const settled = await store.read.details.settled(template.id);
    if (
      !row ||
      row.state === null ||
      settled === undefined ||
      !identity ||
      !certificate ||
      granted.clientSpki === undefined
    )
      throw new Error('no template');
    // In one part, which the service takes as well.
    const state = JSON.stringify({ ...JSON.parse(row.state), settled: JSON.parse(settled) });
    const { clientSpki: spki } = granted;
    const pool = Array.from({ length: Math.min(keys, active) }, () => newLoadKey(keyKind));
    const idle = newLoadKey(keyKind);
    const devices: LoadDevice[] = [];
    for (let from = 0; from < count; from += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => {
        const place = from + i;
        const id = `${prefix}-${String(place).padStart(7, '0')}`;
        const key = place < active ? (pool[place % pool.length] as LoadKey) : idle;
        if (place < active) devices.push({ id, key, challenge: undefined });
        return { id, key, place };
      });
      await store.write(async (tx) => {
        for (const { id, key, place } of batch) {
          // Another policy makes another name, also where keys are shared.
          const area = publicArea({ ...key.area.value, authPolicy: sha256(utf8(id)) });
          await tx.devices.insert({
            ...row,
            state,
            id,
            ek_sha256: toHex(randomBytes(32)),
            ak_name: toHex(nameOf(area)),
            ak_public: area.bytes,
            attested_at_ms: nowMs,
            trusted_until_ms: nowMs + 35 * 60_000,
          });
          await tx.details.putIdentity({ ...identity, device_id: id });
          await tx.deviceKeys.put({ device_id: id, use: 'client', spki, certified_at_ms: nowMs });
          // Ends are spread, as those of machines that came one after the other.
          const endsMs = nowMs + 30 * 60_000 + Math.floor(((place * 7919) % 1800) * 1000);
          await tx.certificates.insert({
            ...certificate,
            serial: toHex(randomBytes(16)),
            sha256: toHex(randomBytes(32)),
            device_id: id,
            not_after_ms: endsMs,
          });
        }
      });
    }
    return devices;
  } finally {
    await store.close();
  }
}
