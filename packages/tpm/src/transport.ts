// SPDX-License-Identifier: Apache-2.0

/** A way to a TPM: a device, a socket, a simulator. One command at a time; the caller waits for the answer. */
export interface TpmTransport {
  /**
   * Sends one whole command and gives the whole response, header included; a response code other than success is not an
   * error here.
   * @throws {TpmError} 'io' when the TPM cannot be reached, 'response_malformed' when the answer is not a response
   */
  send(command: Uint8Array): Promise<Uint8Array>;
}
