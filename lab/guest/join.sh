#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a new machine does: joins with its token, proves what it booted, and asks for what it may have. Runs as an order, in the
# folder of results.
say() { echo "vouchsafe-guest: $*" >/dev/console; }

[ -f enroll.txt ] && exit 0 # asked for twice
say 'joining'
agent enroll @/run/credentials/vouchsafe.token >enroll.txt 2>&1 || { say 'not taken'; exit 1; }
say 'joined'
tries=0
while [ $tries -lt 60 ]; do
  tries=$((tries + 1))
  rm -rf evidence
  agent attest --json --evidence evidence >verdict.json 2>verdict.err
  say "attested: $?"
  # With all logs whole; later ones leave out what the service has.
  [ -d first-evidence ] || cp -r evidence first-evidence
  # Nobody has approved this firmware yet: whoever runs this machine will.
  grep -q '"firmware_unknown"' verdict.json || break
  sleep 3
done
agent secret disk-key >secret 2>secret.err
say "secret: $?"
[ -f /run/vouchsafe/client.crt ] && cp /run/vouchsafe/client.crt client.pem
exit 0
