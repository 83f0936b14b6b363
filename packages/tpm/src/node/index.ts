// SPDX-License-Identifier: Apache-2.0
export { type OpenTpm, openTpmDevice } from './device-transport.ts';
export { openSwtpm, type SwtpmAddress } from './socket-transport.ts';
