// SPDX-License-Identifier: Apache-2.0

import type { Authority } from '@vouchsafe/pki';
import {
  type Challenge,
  type EnrolmentRequest,
  type Evidence,
  encodeBase64url,
  parseBase64url,
  parseJoinToken,
} from '@vouchsafe/protocol';
import type { Answer, Client } from './client.ts';
import {
  bootEvents,
  logOf,
  type MadeBoot,
  type MadeEvent,
  newManifestSigner,
  pcrsAfter,
  sha256,
  signedManifest,
} from './made-boot.ts';
import { newTpmMaker, type QuoteRequest, SimulatedTpm } from './simulated-tpm.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export interface AttestOptions {
  readonly challenge?: Challenge;
  readonly clock?: QuoteRequest['clock'];
  readonly change?: QuoteRequest['change'];
  /** Of the message, after it was made. */
  readonly edit?: (message: Evidence) => unknown;
  /** Under another device's name. */
  readonly as?: string;
}

/** A machine with a simulated TPM: boots, enrols, attests. */
export class Machine {
  readonly tpm: SimulatedTpm;
  readonly client: Client;
  id = '';
  events: MadeEvent[] = bootEvents();
  /** What its log says; what was measured unless somebody lies. */
  logged: MadeEvent[] | undefined;
  /** What was measured, and is in no log. */
  unlogged: readonly MadeEvent[] = [];
  resetCount = 1;
  clock = 1_000n;
  challenge: Challenge | undefined;

  constructor(client: Client, tpm: SimulatedTpm) {
    this.client = client;
    this.tpm = tpm;
  }

  boot(boot: MadeBoot = {}): void {
    this.events = bootEvents(boot);
    this.unlogged = boot.unlogged ?? [];
    this.resetCount += 1;
    this.clock += 60_000n;
  }

  enrolmentRequest(joining: EnrolmentRequest['joining'], proposedId?: string): EnrolmentRequest {
    return {
      joining,
      ...(proposedId === undefined ? {} : { proposedId }),
      endorsement: {
        publicArea: encodeBase64url(this.tpm.ekPublic.bytes),
        certificates: this.tpm.certificates.map(encodeBase64url),
      },
      platformCertificates: [],
      attestationKey: encodeBase64url(this.tpm.akPublic.bytes),
    };
  }

  /** Both halves; the answer of the first that is no success. */
  async enrol(joining: EnrolmentRequest['joining'], proposedId?: string): Promise<Answer> {
    const begun = await this.client.call('POST', '/v1/enrolments', {
      body: this.enrolmentRequest(joining, proposedId),
    });
    if (begun.status !== 201) return begun;
    return this.prove(begun);
  }

  async prove(begun: Answer): Promise<Answer> {
    const { idObject, encryptedSecret } = begun.body.credential;
    const secret = this.tpm.activateCredential(parseBase64url(idObject), parseBase64url(encryptedSecret));
    const proved = await this.client.call('POST', `/v1/enrolments/${begun.body.enrolmentId}/proof`, {
      body: { secret: encodeBase64url(secret ?? new Uint8Array(32)) },
    });
    if (proved.body.state === 'enrolled') {
      this.id = proved.body.deviceId;
      this.challenge = proved.body.challenge;
    }
    return proved;
  }

  async freshChallenge(): Promise<Challenge> {
    const answer = await this.client.call('POST', `/v1/devices/${this.id}/challenges`);
    if (answer.status !== 200) throw new Error(`no challenge: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  evidence(challenge: Challenge, { clock = {}, change }: Pick<AttestOptions, 'clock' | 'change'> = {}): Evidence {
    const log = logOf(this.logged ?? this.events);
    const digest = hex(sha256(log));
    const pcrs = pcrsAfter([...this.events, ...this.unlogged]);
    this.clock += 1_000n;
    const { attest, signature } = this.tpm.quote({
      nonce: parseBase64url(challenge.nonce),
      selection: challenge.selection,
      pcrs,
      clock: { clock: this.clock, resetCount: this.resetCount, ...clock },
      ...(change === undefined ? {} : { change }),
    });
    return {
      nonce: challenge.nonce,
      quote: { attest: encodeBase64url(attest), signature: encodeBase64url(signature) },
      pcrs: challenge.selection.flatMap(({ bank, pcrs: numbers }) =>
        numbers.map((pcr) => ({ bank, pcr, value: encodeBase64url(pcrs[pcr] ?? new Uint8Array(32)) })),
      ),
      logs: {
        firmware: {
          sha256: digest,
          ...(challenge.logs.firmwareSha256 === digest ? {} : { bytes: encodeBase64url(log) }),
        },
      },
    };
  }

  async attest(options: AttestOptions = {}): Promise<Answer> {
    const challenge = options.challenge ?? (await this.freshChallenge());
    const message = this.evidence(challenge, options);
    return this.send(options.edit === undefined ? message : options.edit(message), options.as);
  }

  send(message: unknown, as = this.id): Promise<Answer> {
    return this.client.call('POST', `/v1/devices/${as}/evidence`, { body: message });
  }
}

/** What an operator does on the first day, and machines to enrol. */
export interface Workshop {
  readonly maker: Authority;
  readonly manifestSigner: Awaited<ReturnType<typeof newManifestSigner>>;
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  newMachine(): Promise<Machine>;
  /** Made, enrolled with a token of its own. */
  enrolledMachine(id?: string): Promise<Machine>;
  joinToken(deviceId?: string): Promise<string>;
  addImage(
    version?: string,
    boot?: MadeBoot,
    life?: 'active' | 'candidate',
    phases?: readonly string[],
  ): Promise<string>;
}

/** A service that trusts a maker of simulated TPMs and a signer of manifests. */
export async function openWorkshop(server: {
  readonly client: Client;
  readonly adminToken: string;
}): Promise<Workshop> {
  const { client, adminToken: token } = server;
  const must = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const answer = await client.call(method, path, { token, ...(body === undefined ? {} : { body }) });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  };
  const maker = await newTpmMaker();
  const manifestSigner = await newManifestSigner();
  await must('POST', '/v1/trust', { role: 'tpm-maker', certificates: [encodeBase64url(maker.certificate.bytes)] });
  await must('POST', '/v1/trust', { role: 'manifest-signer', certificates: [manifestSigner.certificate] });
  const newMachine = async () => new Machine(client, await SimulatedTpm.make(maker));
  const joinToken = async (deviceId?: string): Promise<string> => {
    const { body } = await must('POST', '/v1/tokens', deviceId === undefined ? {} : { deviceId });
    return parseJoinToken(body.text).token;
  };
  return {
    maker,
    manifestSigner,
    call: (method, path, body) => client.call(method, path, { token, ...(body === undefined ? {} : { body }) }),
    newMachine,
    joinToken,
    enrolledMachine: async (id) => {
      const machine = await newMachine();
      const answer = await machine.enrol({ kind: 'token', token: await joinToken(id) });
      if (answer.body.state !== 'enrolled') throw new Error(`not enrolled: ${JSON.stringify(answer.body)}`);
      return machine;
    },
    addImage: async (version = '1.4.0', boot = {}, life = 'active', phases = []) => {
      const envelope = await signedManifest(manifestSigner.signer, version, boot, phases);
      const { body } = await must('POST', '/v1/references', { envelope, life });
      return body.sha256;
    },
  };
}
