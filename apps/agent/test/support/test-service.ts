// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { bytesEqual, concatBytes, utf8 } from '@vouchsafe/base';
import { decode } from '@vouchsafe/codec';
import { encryptAesGcm, encryptRsaOaep, importPublicKey } from '@vouchsafe/crypto';
import { randomBytes } from '@vouchsafe/crypto/signing';
import { type KeyEvidence, verifyKey } from '@vouchsafe/identity';
import { type Authority, type Certificate, decodeCertificate, VENDOR_DER } from '@vouchsafe/pki';
import {
  type Challenge,
  checkMessage,
  type Evidence,
  encodeBase64url,
  enrolmentProof,
  enrolmentRequest,
  evidence as evidenceForm,
  parseBase64url,
  SECRET_LABEL,
} from '@vouchsafe/protocol';
import {
  checkAttestationKey,
  importSigningKey,
  makeCredential,
  nameOf,
  type PublicArea,
  spkiOf,
  TpmError,
  tpmtPublic,
  verifyQuote,
} from '@vouchsafe/tpm';
import { spkiSha256 } from '../../src/http/pinned-ca.ts';
import { clientCertificate, serverIdentity } from './test-authority.ts';

/** One machine, as the other side knows it. */
interface Machine {
  readonly ek: PublicArea;
  readonly ak: PublicArea;
  deviceId: string;
  client?: Uint8Array;
  decryption?: Uint8Array;
  certificate?: Certificate;
}

export interface Exchange {
  readonly path: string;
  readonly body: Record<string, unknown>;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  /** In place of the body's JSON. */
  readonly text?: string;
  readonly retryAfter?: string;
}

/** What the test wants of the next answers. */
export interface TestServiceOptions {
  /** Names and days of the server's certificate. */
  readonly host?: string;
  readonly days?: number;
  readonly port?: number;
  /** Enrolments wait for that many questions. */
  approvalsAfter?: number;
  wanted?: Partial<Challenge['logs']>;
  nextInMs?: number;
  challengeMs?: number;
  secrets?: Record<string, string>;
  isTrusted?: boolean;
  /** Changes a request on its way. */
  rewrite?: (body: Record<string, unknown>) => Record<string, unknown>;
  /** Answers instead of the service; undefined lets it answer. */
  instead?: (exchange: Exchange) => Answer | 'hang up' | 'say nothing' | undefined;
}

/**
 * The other side of the agent in a few lines: the service's protocol over real TLS, with the checks of the packages and
 * nothing else. What the service itself does is tested with the service.
 */
export class TestService {
  readonly exchanges: Exchange[] = [];
  readonly options: TestServiceOptions;
  readonly machines = new Map<string, Machine>();
  readonly authority: Authority;
  #server: Server;
  #sockets = new Set<Socket>();
  readonly #enrolments = new Map<string, Machine & { secret: Uint8Array; questions: number }>();
  readonly #nonces = new Set<string>();
  readonly tokens = new Set(['token-for-one-machine']);
  connections = 0;
  /** How far its clock is before the machine's. */
  aheadMs = 0;

  private constructor(authority: Authority, server: Server, options: TestServiceOptions) {
    this.authority = authority;
    this.#server = server;
    this.options = options;
  }

  static async start(authority: Authority, options: TestServiceOptions = {}): Promise<TestService> {
    const server = createServer(await serverIdentity(authority, options));
    const service = new TestService(authority, server, options);
    await service.#listen(options.port ?? 0);
    return service;
  }

  async #listen(port: number): Promise<void> {
    const server = this.#server;
    server.on('request', (request, response) => void this.#handle(request, response));
    server.on('secureConnection', (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  get caSha256(): string {
    return spkiSha256(this.authority.certificate.bytes) as string;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The same service again, on the same port, with what it knows. */
  async restart(options: Pick<TestServiceOptions, 'host' | 'days'> = {}): Promise<void> {
    const { port } = this;
    await this.stop();
    this.#server = createServer(await serverIdentity(this.authority, options));
    await this.#listen(port);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const exchange = {
      path: request.url ?? '',
      body: JSON.parse(Buffer.concat(chunks).toString()) as Exchange['body'],
    };
    this.exchanges.push(exchange);
    let answer = this.options.instead?.(exchange);
    if (answer === 'hang up') {
      request.socket.destroy();
      return;
    }
    if (answer === 'say nothing') return;
    answer ??= await this.#answer(exchange).catch((error: unknown) => this.#problem(error));
    const headers = answer.retryAfter === undefined ? {} : { 'retry-after': answer.retryAfter };
    response.writeHead(answer.status, { 'content-type': 'application/json', ...headers });
    response.end(answer.text ?? (answer.body === undefined ? '' : JSON.stringify(answer.body)));
  }

  #problem(error: unknown): Answer {
    const [status, code] = error instanceof Refusal ? [error.status, error.code] : [422, codeOf(error)];
    return { status, body: { type: `urn:${code}`, title: code, status, code, detail: String(error) } };
  }

  async #answer({ path, body }: Exchange): Promise<Answer> {
    const [, proofOf] = /^\/v1\/enrolments\/([^/]+)\/proof$/.exec(path) ?? [];
    const [, id = '', route = ''] = /^\/v1\/devices\/([^/]+)\/([a-z]+)$/.exec(path) ?? [];
    if (path === '/v1/enrolments') return { status: 201, body: this.#enrol(body) };
    if (proofOf !== undefined) return { status: 200, body: this.#prove(proofOf, body) };
    const machine = this.machines.get(id);
    if (machine === undefined) throw new Refusal(404, 'device_unknown');
    if (route === 'challenges') return { status: 201, body: this.challenge() };
    return { status: 200, body: await this.#attest(machine, checkMessage(evidenceForm, body)) };
  }

  #enrol(sent: Exchange['body']): unknown {
    const body = this.options.rewrite?.(sent) ?? sent;
    const { joining, endorsement, attestationKey } = checkMessage(enrolmentRequest, body);
    if (joining.kind === 'token' && !this.tokens.has(joining.token)) throw new Refusal(403, 'token_refused');
    const [ek, ak] = [areaOf(endorsement.publicArea), areaOf(attestationKey)];
    const [certificate] = endorsement.certificates;
    const certified = decodeCertificate(parseBase64url(certificate as string), VENDOR_DER).publicKey.bytes;
    if (!bytesEqual(certified, spkiOf(ek.value))) throw new Refusal(422, 'endorsement_mismatch');
    if (checkAttestationKey(ak.value).length > 0) throw new Refusal(422, 'attestation_key_unfit');
    const secret = randomBytes(32);
    const enrolmentId = encodeBase64url(randomBytes(16));
    this.#enrolments.set(enrolmentId, { ek, ak, deviceId: 'machine-1', secret, questions: 0 });
    const { credentialBlob, secret: encryptedSecret } = makeCredential(ek.value, nameOf(ak), secret, randomBytes);
    return {
      enrolmentId,
      credential: { idObject: encodeBase64url(credentialBlob), encryptedSecret: encodeBase64url(encryptedSecret) },
      expiresAtMs: Date.now() + 60_000,
    };
  }

  #prove(enrolmentId: string, body: unknown): unknown {
    const enrolment = this.#enrolments.get(enrolmentId);
    if (enrolment === undefined) throw new Refusal(404, 'enrolment_unknown');
    const { secret } = checkMessage(enrolmentProof, body);
    if (!bytesEqual(parseBase64url(secret), enrolment.secret)) throw new Refusal(403, 'proof_wrong');
    enrolment.questions += 1;
    if (enrolment.questions <= (this.options.approvalsAfter ?? 0)) {
      return { state: 'awaiting-approval', askAgainAfterMs: 10 };
    }
    const { ek, ak, deviceId } = enrolment;
    this.machines.set(deviceId, this.machines.get(deviceId) ?? { ek, ak, deviceId });
    this.tokens.clear();
    const attestationCertificates = [encodeBase64url(this.authority.certificate.bytes)];
    return { state: 'enrolled', deviceId, attestationCertificates, challenge: this.challenge() };
  }

  challenge(): Challenge {
    const nonce = encodeBase64url(randomBytes(32));
    this.#nonces.add(nonce);
    const issuedAtMs = Date.now() + this.aheadMs;
    return {
      nonce,
      issuedAtMs,
      expiresAtMs: issuedAtMs + (this.options.challengeMs ?? 60_000),
      selection: [{ bank: 'sha256', pcrs: [0, 4, 7, 10, 11] }],
      logs: { userspace: false, launch: false, ...this.options.wanted },
    };
  }

  async #attest(machine: Machine, evidence: Evidence): Promise<unknown> {
    if (!this.#nonces.delete(evidence.nonce)) throw new Refusal(409, 'nonce_refused');
    const nonce = parseBase64url(evidence.nonce);
    const key = importSigningKey(machine.ak.value);
    const pcrs = evidence.pcrs.map(({ bank, pcr, value }) => ({ bank, pcr, value: parseBase64url(value) }));
    const selection = [{ bank: 'sha256' as const, pcrs: [0, 4, 7, 10, 11] }];
    verifyQuote({ ...octetsOf(evidence.quote), pcrs }, { key, selection, nonce });
    const isNew = evidence.keys !== undefined;
    for (const use of ['client', 'decryption'] as const) {
      const certified = evidence.keys?.[use];
      if (certified === undefined) continue;
      const result = verifyKey(octetsOf(certified) as unknown as KeyEvidence, use, { attestationKey: key, nonce });
      if (result.key === undefined) throw new Refusal(422, 'key_uncertified');
      machine[use] = result.key.spki;
    }
    if (isNew && machine.client !== undefined) {
      machine.certificate = await clientCertificate(this.authority, machine.client, machine.deviceId);
    }
    const now = Date.now() + this.aheadMs;
    const { isTrusted = true } = this.options;
    const { certificate } = machine;
    return {
      verdict: {
        status: isTrusted ? 'affirming' : 'contraindicated',
        isTrusted,
        atMs: now,
        findings: [],
        references: [],
        policy: { name: 'test', sha256: '00'.repeat(32) },
      },
      ear: 'a.b.c',
      ...(isNew && isTrusted && certificate !== undefined
        ? {
            certificate: {
              chain: [certificate, this.authority.certificate].map(({ bytes }) => encodeBase64url(bytes)),
              notBeforeMs: now,
              notAfterMs: now + 3_600_000,
              renewAtMs: now + 1_800_000,
            },
          }
        : {}),
      ...(evidence.secrets === undefined
        ? {}
        : { secrets: evidence.secrets.map((name) => this.#secret(machine, name)) }),
      nextAtMs: now + (this.options.nextInMs ?? 60_000),
      challenge: this.challenge(),
    };
  }

  #secret(machine: Machine, name: string): unknown {
    const value = this.options.secrets?.[name];
    const refused = (code: string) => ({ name, state: 'refused', code, hint: 'ask an operator' });
    if (machine.decryption === undefined) return refused('decryption_key_missing');
    if (value === undefined) return refused('not_granted');
    const [key, iv] = [randomBytes(32), randomBytes(12)];
    const wrapped = encryptRsaOaep(importPublicKey(machine.decryption), key, {
      hash: 'sha256',
      label: utf8(SECRET_LABEL),
      seed: randomBytes(32),
    });
    const associated = concatBytes(utf8(machine.deviceId), Uint8Array.of(0), utf8(name));
    const box = concatBytes(iv, encryptAesGcm(key, iv, utf8(value), associated));
    return { name, state: 'granted', version: 1, wrappedKey: encodeBase64url(wrapped), box: encodeBase64url(box) };
  }
}

class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

const codeOf = (error: unknown): string => (error instanceof TpmError ? error.code : 'message_malformed');

function areaOf(text: string): PublicArea {
  const bytes = parseBase64url(text);
  return { value: decode(tpmtPublic, bytes), bytes };
}

/** Every member of base64url as octets. */
function octetsOf<K extends string>(texts: Readonly<Record<K, string>>): Record<K, Uint8Array> {
  return Object.fromEntries(Object.entries(texts).map(([k, text]) => [k, parseBase64url(text as string)])) as Record<
    K,
    Uint8Array
  >;
}
