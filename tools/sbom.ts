// SPDX-License-Identifier: Apache-2.0
/** npm run --silent sbom: the bill of materials of Vouchsafe itself, CycloneDX 1.6, on standard output. */
import { fileURLToPath } from 'node:url';
import { billOfMaterials } from './supply-chain/bill-of-materials.ts';
import { readLockFile } from './supply-chain/lock-file.ts';

process.stdout.write(billOfMaterials(readLockFile(fileURLToPath(new URL('..', import.meta.url)))));
