#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The init of a root that a recipe makes: hands out what its boot measured and what it was given, and switches the machine
# off. What it finds in /var it hands out, and leaves a file there for the next boot.
export PATH=/usr/bin
exec >/dev/console 2>&1 </dev/console
mount -t securityfs securityfs /sys/kernel/security
mkdir -p /run/results
cd /run/results || exit 1

cat /proc/cmdline >cmdline
cat /proc/mounts >mounts
cat /sys/kernel/security/tpm0/binary_bios_measurements >firmware.log
for bank in sha1 sha256 sha384; do
  [ -d /sys/class/tpm/tpm0/pcr-$bank ] || continue
  for pcr in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    echo "$bank $pcr $(cat /sys/class/tpm/tpm0/pcr-$bank/$pcr)"
  done
done >pcrs

# Every file that this boot was given beside the root.
find /etc /run/systemd /run/credentials /run/extensions /run/confexts -type f >given 2>/dev/null
cat /etc/hostname >hostname 2>/dev/null
if grep -q ' /var ext4 ' mounts; then
  find /var -type f >var
  cat /var/lib/lab/boots >boots 2>/dev/null
  mkdir -p /var/lib/lab
  cat /usr/lib/version >>/var/lib/lab/boots
  umount /var
fi

for port in /sys/class/virtio-ports/*; do
  [ "$(cat "$port/name")" = vouchsafe.results ] || continue
  find . -type f | cpio -o -H newc >"/dev/${port##*/}" && echo 'vouchsafe-guest: reported'
done
sync
poweroff -f
sleep 60
