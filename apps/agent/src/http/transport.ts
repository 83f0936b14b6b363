// SPDX-License-Identifier: Apache-2.0

/** An answer of the service, whatever its status. */
export interface ServiceResponse {
  readonly status: number;
  /** The parsed body; undefined where it is empty. */
  readonly body: unknown;
  /** The header Retry-After, in milliseconds from now. */
  readonly retryAfterMs?: number;
}

/** How requests get to the service: HTTPS, or a function call in tests. */
export interface Transport {
  /**
   * @param path with its leading `/`
   * @throws {AgentError} 'server_unreachable', 'server_untrusted', 'answer_malformed'
   */
  post(path: string, body: unknown): Promise<ServiceResponse>;
  /** Ends the connections that were kept. */
  close(): void;
}
