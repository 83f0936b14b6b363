// SPDX-License-Identifier: Apache-2.0
import { type Logger, pino } from 'pino';
import type { LogSettings } from './config.ts';

/**
 * One JSON object a line: a line's end or a quote in what an attacker named is escaped, and so are the characters that turn
 * text around on a screen. Nothing that may be a secret has a place here; the names below are a second net.
 */
export function openLog({ level, stream }: LogSettings): Logger {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: ['token', 'secret', 'authorization', 'password', '*.token', '*.secret', '*.authorization', '*.password'],
      censor: 'left out',
    },
  };
  return pino(options, escaping(stream ?? process.stderr));
}

/** Control and direction characters that JSON lets stand as they are. */
const UNSAFE = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff<>]/g;

function escaping(stream: { write(line: string): void }): { write(line: string): void } {
  return {
    write: (line) =>
      void stream.write(line.replace(UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)),
  };
}
