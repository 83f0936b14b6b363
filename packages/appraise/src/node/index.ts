// SPDX-License-Identifier: Apache-2.0
export { loadCedar } from './load-cedar.ts';
