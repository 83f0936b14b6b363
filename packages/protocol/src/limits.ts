// SPDX-License-Identifier: Apache-2.0

/** The most that each message may hold. A body over `bodyBytes` is refused before it is parsed. */
export const WIRE_LIMITS = {
  /** Of a whole message. A boot log of a server with many option ROMs has 200 KB; an IMA list of 60,000 entries has 8 MiB. */
  bodyBytes: 16 * 1024 * 1024,
  firmwareLogBytes: 1024 * 1024,
  userspaceLogBytes: 1024 * 1024,
  launchLogBytes: 1024 * 1024,
  imaBytes: 8 * 1024 * 1024,
  /** Of one certificate; those of platforms list hundreds of components. */
  certificateBytes: 64 * 1024,
  certificates: 16,
  publicAreaBytes: 2048,
  attestBytes: 2048,
  signatureBytes: 1024,
  nonceBytes: 64,
  pcrValues: 4 * 24,
  secretNames: 16,
} as const;
