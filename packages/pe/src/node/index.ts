// SPDX-License-Identifier: Apache-2.0
export { type StartedDigests, startMeasuredDigests } from './measured-digests.ts';
