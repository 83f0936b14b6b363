// SPDX-License-Identifier: Apache-2.0
import type { AttestationResult, Challenge, Evidence, GrantedCertificate } from '@vouchsafe/protocol';
import { type Clock, systemClock } from './clock.ts';
import { type EnrolmentOutcome, enrol, type Joining } from './enrol.ts';
import { AgentError } from './error.ts';
import { makeEvidence } from './evidence.ts';
import { httpsTransport } from './http/https-transport.ts';
import { fetchPinnedCa } from './http/pinned-ca.ts';
import { type ServiceClient, serviceClient } from './http/service-client.ts';
import type { Transport } from './http/transport.ts';
import type { LogSources } from './logs/log-sources.ts';
import type { MachineTpm } from './machine-tpm.ts';
import { openSecret } from './open-secret.ts';
import type { AgentState, EnrolledState, ServerState } from './state/agent-state.ts';
import type { AgentStore } from './state/agent-store.ts';

/** What an agent is made of. */
export interface AgentParts {
  readonly store: AgentStore;
  readonly tpm: MachineTpm;
  readonly logs: LogSources;
  /** HTTPS to the pinned service unless given. */
  readonly connect?: (server: ServerState) => Promise<Transport>;
  readonly clock?: Clock;
}

export interface JoinOptions {
  readonly server: ServerState;
  readonly joining: Joining;
  readonly proposedId?: string;
  /** Leaves the service that the machine is enrolled with now. */
  readonly force?: boolean;
}

export interface AttestOptions {
  /** Names of the secrets to ask for; with any, the challenge is asked for anew, as the service takes no old one. */
  readonly secrets?: readonly string[];
  readonly relyingPartyNonce?: Uint8Array;
  /** Certifies the client and the decryption key again, for which the service issues a new certificate. */
  readonly certifiesKeys?: boolean;
  /** Called with what is about to be sent, and the TPMT_PUBLIC of the key that signed it: for who wants to keep it. */
  readonly onEvidence?: (evidence: Evidence, attestationKey: string) => void;
}

/** What one attestation came to. */
export interface Attestation extends Omit<AttestationResult, 'challenge' | 'nextAtMs'> {
  /** Milliseconds from the verdict on until the service wants the next one. */
  readonly nextInMs: number;
}

interface KeptChallenge {
  readonly challenge: Challenge;
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** A challenge is not begun to be answered in its last seconds. */
const CHALLENGE_MARGIN_MS = 10_000;

/** One machine at one service. Its methods are called one at a time. */
export class Agent {
  readonly #parts: AgentParts;
  readonly #clock: Clock;
  #transport: { readonly url: string; readonly transport: Transport } | undefined;
  #kept: KeptChallenge | undefined;
  /** The certificate is due and the last answer had none: the service may have lost the key. */
  #isCertificateMissing = false;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
  }

  /** Undefined before the first enrolment. */
  get state(): AgentState | undefined {
    return this.#parts.store.read();
  }

  /**
   * Begins an enrolment and takes it as far as it goes. One that is under way with the same service goes on.
   * @throws {AgentError} 'already_enrolled' without `force`; as `continueEnrolment`
   */
  async join(options: JoinOptions): Promise<EnrolmentOutcome> {
    await this.beginEnrolment(options);
    return this.continueEnrolment();
  }

  /**
   * Makes keys and keeps what an enrolment takes, without a word to the service.
   * @throws {AgentError} 'already_enrolled' without `force`; {TpmError}, {BytesError}
   */
  async beginEnrolment({ server, joining, proposedId, force = false }: JoinOptions): Promise<void> {
    const { store, tpm } = this.#parts;
    const before = store.read();
    if (before?.enrolment.state === 'enrolled' && !force) {
      const message = `expected a machine that is not enrolled, found ${before.enrolment.deviceId} at ${before.server.url}; --force leaves that`;
      throw new AgentError('already_enrolled', message);
    }
    // The same keys as long as they are this TPM's: the service takes other ones for a machine only after a reset.
    const isKept = before !== undefined && (await tpm.holds(before.keys));
    const pending = { state: 'pending' as const, joining, ...(proposedId === undefined ? {} : { proposedId }) };
    const isSame = isKept && before.server.url === server.url && before.enrolment.state === 'pending';
    const challenge = isSame && before.enrolment.state === 'pending' ? before.enrolment.challenge : undefined;
    store.write({
      version: 1,
      server,
      keys: isKept ? before.keys : await tpm.createKeys(),
      enrolment: { ...pending, ...(challenge === undefined ? {} : { challenge }) },
    });
    this.close();
  }

  /**
   * @throws {AgentError} 'not_enrolled' when none was begun, 'server_…', 'answer_malformed', 'credential_refused',
   *   'endorsement_missing', 'tpm_changed'; {TpmError}, {BytesError}
   */
  async continueEnrolment(): Promise<EnrolmentOutcome> {
    const { store, tpm } = this.#parts;
    const state = await this.#withServer(requireState(store.read()));
    return enrol({ tpm, service: this.#service(), keep: (next) => store.write(next) }, state);
  }

  /**
   * Proves what was booted. The verdict may be bad: that is an answer, and no error.
   * @throws {AgentError} 'not_enrolled', 'server_…', 'answer_malformed', 'log_missing', 'tpm_changed'; {TpmError}, {BytesError}
   */
  async attest(options: AttestOptions = {}): Promise<Attestation> {
    const state = requireEnrolled(await this.#withServer(requireState(this.#parts.store.read())));
    const kept = (options.secrets ?? []).length === 0 ? this.#takeChallenge() : undefined;
    try {
      return await this.#answer(state, kept ?? (await this.#askChallenge(state)), options);
    } catch (error) {
      // The service has not got this boot's log, though one of the same digest was sent before: an operator's clean-up, say.
      const sendsFirmware = isProblem(error, /^log_wanted$/);
      // Or the challenge is too old, or this machine slept over it: a new one will do.
      if (!sendsFirmware && (kept === undefined || !isProblem(error, /challenge|nonce/))) throw error;
      return await this.#answer(state, await this.#askChallenge(state), options, sendsFirmware);
    }
  }

  /**
   * A secret of the operator's, for this machine as it is now.
   * @throws {AgentError} 'secret_refused', 'secret_malformed'; as `attest`
   */
  async secret(name: string): Promise<Uint8Array> {
    const first = await this.#granted(name, {});
    const isKeyMissing = first.state === 'refused' && first.code === 'decryption_key_missing';
    const granted = isKeyMissing ? await this.#granted(name, { certifiesKeys: true }) : first;
    const { keys, enrolment } = requireEnrolled(requireState(this.#parts.store.read()));
    return openSecret(this.#parts.tpm, keys, enrolment.deviceId, granted);
  }

  /** Ends connections; the agent can be used on. */
  close(): void {
    this.#transport?.transport.close();
    this.#transport = undefined;
  }

  async #granted(name: string, options: AttestOptions) {
    const { secrets = [] } = await this.attest({ ...options, secrets: [name] });
    const granted = secrets.find((secret) => secret.name === name);
    if (granted !== undefined) return granted;
    throw new AgentError('answer_malformed', `expected an answer for the secret ${name}, found none`);
  }

  #askChallenge({ enrolment }: EnrolledState): Promise<Challenge> {
    return this.#service().challenge(enrolment.deviceId);
  }

  async #answer(
    state: EnrolledState,
    challenge: Challenge,
    options: AttestOptions,
    sendsFirmware = false,
  ): Promise<Attestation> {
    const { tpm, logs } = this.#parts;
    const { deviceId } = state.enrolment;
    const isDue = state.certificate === undefined || state.certificate.renewAtMs <= challenge.issuedAtMs;
    const isMissing = state.certificate === undefined || (isDue && this.#isCertificateMissing);
    const bootId = logs.readBootId();
    const { secrets, relyingPartyNonce } = options;
    const evidence = await makeEvidence(tpm, logs, {
      challenge,
      keys: state.keys,
      certifiesKeys: options.certifiesKeys ?? isMissing,
      isSameBoot: state.bootId === bootId,
      sendsFirmware,
      ...(secrets === undefined ? {} : { secrets }),
      ...(relyingPartyNonce === undefined ? {} : { relyingPartyNonce }),
    });
    options.onEvidence?.(evidence, state.keys.attestation.publicArea);
    const { challenge: next, nextAtMs, ...result } = await this.#service().attest(deviceId, evidence);
    this.#kept = { challenge: next, monotonicMs: this.#clock.monotonicMs(), wallMs: this.#clock.wallMs() };
    this.#isCertificateMissing = isDue && result.certificate === undefined;
    this.#remember(state, bootId, result.certificate);
    return { ...result, nextInMs: Math.max(0, nextAtMs - result.verdict.atMs) };
  }

  /** Nothing is written where nothing has changed: the state may lie on flash. */
  #remember(state: EnrolledState, bootId: string, certificate: GrantedCertificate | undefined): void {
    if (state.bootId === bootId && certificate === undefined) return;
    this.#parts.store.write({ ...state, bootId, ...(certificate === undefined ? {} : { certificate }) });
  }

  /** The challenge that came with the last answer, once, while it lasts on both clocks. */
  #takeChallenge(): Challenge | undefined {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept === undefined) return undefined;
    const elapsedMs = Math.max(this.#clock.monotonicMs() - kept.monotonicMs, this.#clock.wallMs() - kept.wallMs);
    const { issuedAtMs, expiresAtMs } = kept.challenge;
    return elapsedMs < expiresAtMs - issuedAtMs - CHALLENGE_MARGIN_MS ? kept.challenge : undefined;
  }

  #service(): ServiceClient {
    if (this.#transport === undefined) throw new Error('no transport');
    return serviceClient(this.#transport.transport);
  }

  /** Connects; where the authority is known by its pin alone, finds its certificate first and keeps it. */
  async #withServer<S extends AgentState>(state: S): Promise<S> {
    const { store, connect } = this.#parts;
    const { server } = state;
    if (this.#transport?.url === server.url) return state;
    this.close();
    if (connect !== undefined) {
      this.#transport = { url: server.url, transport: await connect(server) };
      return state;
    }
    const caPem = server.caPem ?? (await fetchPinnedCa(server.url, server.caSha256 ?? ''));
    this.#transport = { url: server.url, transport: httpsTransport({ url: server.url, ca: caPem }) };
    if (server.caPem !== undefined) return state;
    const next = { ...state, server: { ...server, caPem } };
    store.write(next);
    return next;
  }
}

function requireState(state: AgentState | undefined): AgentState {
  if (state !== undefined) return state;
  throw new AgentError(
    'not_enrolled',
    'expected a machine that has joined a service; vouchsafe agent enroll TOKEN joins one',
  );
}

function requireEnrolled(state: AgentState): EnrolledState {
  if (state.enrolment.state === 'enrolled') return state as EnrolledState;
  const message =
    'expected a machine that has joined its service, found an enrolment under way; vouchsafe agent enroll goes on with it';
  throw new AgentError('not_enrolled', message);
}

/** A refusal of the service with such a code. */
const isProblem = (error: unknown, code: RegExp): boolean =>
  error instanceof AgentError && error.problem !== undefined && code.test(error.problem.code);
