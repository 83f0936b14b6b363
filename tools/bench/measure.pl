# SPDX-License-Identifier: Apache-2.0
#
# Runs a command and writes, as one JSON line to a file, what it cost: wall time, the CPU time of all its threads (and
# of the children it waited for), and its peak memory. Node.js has no wait4(2), and /proc is gone when a process is.
#
#   perl measure.pl REPORT WAIT4 CLOCK_GETTIME COMMAND [ARGUMENT …]
#
# The numbers are the system calls' on this architecture: perl-base has neither a wait4 nor a fine clock of its own.
# ru_maxrss is the largest of the process's images, so that peaks below perl's own (2 to 3 MiB) read as that.
use strict;
use warnings;

my ($report, $wait4, $clock_gettime, @command) = @ARGV;
my $CLOCK_MONOTONIC = 1;

sub now_ns {
  my $timespec = pack 'q2', 0, 0;
  syscall($clock_gettime, $CLOCK_MONOTONIC, $timespec) == 0 or die "clock_gettime: $!\n";
  my ($s, $ns) = unpack 'q2', $timespec;
  return $s * 1_000_000_000 + $ns;
}

my $start = now_ns();
my $pid = fork // die "fork: $!\n";
if ($pid == 0) {
  no warnings 'exec'; # it says so itself
  exec { $command[0] } @command;
  print STDERR "$command[0]: $!\n";
  exit 127;
}
# struct rusage, getrusage(2): two struct timeval, ru_maxrss in KiB, and 13 more longs.
my ($status, $rusage) = (pack('i', 0), pack('q18', (0) x 18));
syscall($wait4, $pid, $status, 0, $rusage) == $pid or die "wait4: $!\n";
my $wall_ns = now_ns() - $start;
my ($user_s, $user_us, $system_s, $system_us, $peak_kib) = unpack 'q5', $rusage;

open my $out, '>', $report or die "$report: $!\n";
printf $out qq({"wallMs":%.6f,"cpuMs":%.3f,"peakKib":%d}\n),
  $wall_ns / 1e6, ($user_s + $system_s) * 1e3 + ($user_us + $system_us) / 1e3, $peak_kib;
close $out;
my $code = unpack 'i', $status;
exit($code & 127 ? 128 + ($code & 127) : $code >> 8);
