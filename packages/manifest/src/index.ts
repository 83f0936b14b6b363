// SPDX-License-Identifier: Apache-2.0
export type { Bank, EventOrigin, PredictedEvent } from './predicted-event.ts';
