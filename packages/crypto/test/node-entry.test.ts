// SPDX-License-Identifier: Apache-2.0
import test from 'node:test';
import * as entry from '@vouchsafe/crypto';
import { signatureVectors } from './suite/load-vectors.ts';
import { plainCheck, suite } from './suite/suite.ts';

for (const { name, run } of suite({ entry, vectors: signatureVectors })) test(name, () => run(plainCheck(entry)));
