// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

/**
 * Wraps a program as Node.js wraps a CommonJS module, and compiles all of its functions. Node's own compile cache keeps
 * those alone that run at once; the rest, some hundreds, would be compiled one by one as each start calls them.
 */
export function compile(text: string, path: string): { source: string; code: Uint8Array } {
  const source = `(function(require,module,exports,__filename,__dirname){${text}\n})`;
  setFlagsFromString('--no-lazy');
  const script = new Script(source, { filename: path });
  // Code is refused where V8's settings are not those that it was made with.
  setFlagsFromString('--lazy');
  return { source, code: script.createCachedData() };
}
