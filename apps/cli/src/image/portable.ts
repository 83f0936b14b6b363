// SPDX-License-Identifier: Apache-2.0
import { extensionVerb } from './extension.ts';

export const portable = extensionVerb('portable');
