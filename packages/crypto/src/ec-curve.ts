// SPDX-License-Identifier: Apache-2.0
import type { EcCurve } from './types.ts';

export interface CurveFacts {
  /** Octets of a coordinate, and of r and s in a raw signature: for these curves p and n are equally long. */
  readonly sizeBytes: number;
  /** Content octets of the OBJECT IDENTIFIER. RFC 5480, section 2.1.1.1. */
  readonly oid: readonly number[];
}

export const CURVES: Readonly<Record<EcCurve, CurveFacts>> = {
  'P-256': { sizeBytes: 32, oid: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07] }, // 1.2.840.10045.3.1.7
  'P-384': { sizeBytes: 48, oid: [0x2b, 0x81, 0x04, 0x00, 0x22] }, // 1.3.132.0.34
  'P-521': { sizeBytes: 66, oid: [0x2b, 0x81, 0x04, 0x00, 0x23] }, // 1.3.132.0.35
};

export const EC_CURVES = Object.keys(CURVES) as readonly EcCurve[];
