// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { encode, u32be } from '@vouchsafe/codec';
import { TpmError } from '../error.ts';
import { openSocket, RequestStream, type SocketOptions, type SwtpmAddress } from './socket-transport.ts';

/** Commands of swtpm's control channel: swtpm, include/swtpm/tpm_ioctl.h. Everything is big-endian. */
const COMMAND = {
  init: 2,
  shutdown: 3,
  getEstablished: 4,
  setLocality: 5,
  hashStart: 6,
  hashData: 7,
  hashEnd: 8,
  stop: 14,
  setBufferSize: 17,
} as const;

/** PTM_INIT_FLAG_DELETE_VOLATILE: do not go on with the state of before. */
const INIT_DELETE_VOLATILE = 1;

/** Octets hashed with one command at most: the data of a ptm_hdata. */
const HASH_DATA_BYTES = 4096;

const RESULT_BYTES = 4;
const CONTROL_TIMEOUT_MS = 30_000;

/** swtpm's buffer for commands and responses, in octets. */
export interface SwtpmBufferSize {
  readonly bufferSize: number;
  readonly minSize: number;
  readonly maxSize: number;
}

/** What a machine's chipset does to a TPM beside the commands: power, locality, and the hash of a dynamic launch. */
export interface SwtpmControl {
  /** Switches it on; TPM2_Startup comes next. */
  init(options?: { readonly deleteVolatile?: boolean }): Promise<void>;
  /** Switches it off, and has swtpm end. */
  shutdown(): Promise<void>;
  /** Switches it off; `init` switches it on again. */
  stop(): Promise<void>;
  /** 0 to 4; the commands that follow on the data channel are of that locality. */
  setLocality(locality: number): Promise<void>;
  /**
   * The hash sequence of a dynamic launch, at locality 4: PCR 17 to 22 become zero, then PCR 17 is extended with the
   * digest. TPM 2.0 Library, Part 1 (Dynamic Root of Trust for Measurement).
   */
  hashSequence(data: Uint8Array): Promise<void>;
  /** True after a dynamic launch. */
  isEstablished(): Promise<boolean>;
  getBufferSize(): Promise<SwtpmBufferSize>;
  /** @returns what it is now, which may be another than asked for. Only before `init`. */
  setBufferSize(sizeBytes: number): Promise<SwtpmBufferSize>;
  close(): Promise<void>;
}

/**
 * swtpm's control channel, the socket of its option --ctrl.
 * @throws {TpmError} 'io' when it cannot be reached; each method 'io' when swtpm refuses
 */
export async function openSwtpmControl(address: SwtpmAddress, options: SocketOptions = {}): Promise<SwtpmControl> {
  const label = 'path' in address ? address.path : `${address.host}:${address.port}`;
  const socket = await openSocket(address, label);
  const stream = new RequestStream(socket, label, options.timeoutMs ?? CONTROL_TIMEOUT_MS);

  const ask = async (name: keyof typeof COMMAND, body: Uint8Array, moreBytes = 0): Promise<DataView> => {
    const size = RESULT_BYTES + moreBytes;
    const question = concatBytes(encode(u32be, COMMAND[name]), body);
    // A refusal is the result alone.
    const answer = await stream.ask(question, (received) => {
      if (received.length < RESULT_BYTES) return undefined;
      const isRefused = received.subarray(0, RESULT_BYTES).some((octet) => octet !== 0);
      return isRefused || received.length >= size ? received : undefined;
    });
    const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
    const result = view.getUint32(0);
    if (result !== 0) {
      throw new TpmError('io', `${label}: expected ${name} to work, found the result 0x${result.toString(16)}`);
    }
    return view;
  };
  const askBufferSize = async (sizeBytes: number): Promise<SwtpmBufferSize> => {
    const view = await ask('setBufferSize', encode(u32be, sizeBytes), 12);
    return { bufferSize: view.getUint32(4), minSize: view.getUint32(8), maxSize: view.getUint32(12) };
  };
  const NOTHING = new Uint8Array();
  return {
    init: async ({ deleteVolatile = false } = {}) => {
      await ask('init', encode(u32be, deleteVolatile ? INIT_DELETE_VOLATILE : 0));
    },
    shutdown: async () => void (await ask('shutdown', NOTHING)),
    stop: async () => void (await ask('stop', NOTHING)),
    setLocality: async (locality) => void (await ask('setLocality', Uint8Array.of(locality))),
    hashSequence: async (data) => {
      await ask('hashStart', NOTHING);
      for (let at = 0; at < data.length; at += HASH_DATA_BYTES) {
        const part = data.subarray(at, at + HASH_DATA_BYTES);
        await ask('hashData', concatBytes(encode(u32be, part.length), part));
      }
      await ask('hashEnd', NOTHING);
    },
    isEstablished: async () => (await ask('getEstablished', NOTHING, 4)).getUint8(4) !== 0,
    getBufferSize: () => askBufferSize(0),
    setBufferSize: askBufferSize,
    close: () => stream.close(),
  };
}
