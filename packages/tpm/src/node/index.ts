// SPDX-License-Identifier: Apache-2.0
export { type OpenTpm, openTpmDevice } from './device-transport.ts';
export { openSwtpm, type SocketOptions, type SwtpmAddress } from './socket-transport.ts';
export { openSwtpmControl, type SwtpmBufferSize, type SwtpmControl } from './swtpm-control.ts';
