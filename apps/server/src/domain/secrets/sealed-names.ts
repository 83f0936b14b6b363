// SPDX-License-Identifier: Apache-2.0

/** What envelopes are called when they are sealed and opened: none can be put in another's place. */
export const sealedNames = {
  serviceKey: (name: string): string => `service key ${name}`,
  secret: (name: string, version: number): string => `secret ${name} version ${version}`,
  webhook: (id: string): string => `webhook ${id}`,
};
