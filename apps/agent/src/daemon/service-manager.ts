// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';

/** What systemd is told of a service, where it wants to be told. */
export interface ServiceManager {
  ready(): void;
  status(text: string): void;
  stopping(): void;
  /** Sends a sign of life at half the interval that systemd wants, as long as the service says that it is well. */
  watch(isWell: () => boolean): Disposable;
}

/**
 * sd_notify(3). Node.js has no datagram sockets of the Unix kind, so systemd-notify, which is wherever systemd is, sends the
 * messages; the unit needs NotifyAccess=all for that. Outside of systemd nothing is sent.
 */
export function serviceManager(env: Readonly<Record<string, string | undefined>> = process.env): ServiceManager {
  const isWanted = (env['NOTIFY_SOCKET'] ?? '') !== '';
  const send = (...message: readonly string[]): void => {
    if (!isWanted) return;
    const child = spawn('systemd-notify', message, { stdio: 'ignore' });
    // A machine without the program goes on without being watched.
    child.on('error', () => {});
    child.unref();
  };
  const watchdogMs = Number(env['WATCHDOG_USEC'] ?? '0') / 1000;
  return {
    ready: () => send('--ready'),
    status: (text) => send(`--status=${text}`),
    stopping: () => send('STOPPING=1'),
    watch: (isWell) => {
      const isWatched = isWanted && watchdogMs > 0;
      const timer = isWatched ? setInterval(() => isWell() && send('WATCHDOG=1'), watchdogMs / 2) : undefined;
      timer?.unref();
      return { [Symbol.dispose]: () => clearInterval(timer) };
    },
  };
}
