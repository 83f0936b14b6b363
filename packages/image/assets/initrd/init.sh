#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The init of an initrd that opens one verity root, or a verity /usr, and fails closed. All that it trusts is measured:
# itself with the parts beside it, as a part of the initrd, and the root hash, as a part of the command line. Which optional
# parts are there says what was asked for.
export PATH=/bin DM_DISABLE_UDEV=1
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=0755 run /run
exec >/dev/console 2>&1 </dev/console

refuse() {
  echo "vouchsafe-initrd: refused: $*"
  sleep 1
  poweroff -f
  # Whatever poweroff does, nothing below runs: when init ends, the kernel stops.
  exit 1
}

echo 'vouchsafe-initrd: start'
parts=/lib/vouchsafe
. $parts/partitions.sh
. $parts/verity.sh
. $parts/root.sh
[ ! -f $parts/tpm.sh ] || . $parts/tpm.sh
[ ! -f $parts/signature.sh ] || . $parts/signature.sh
[ ! -f $parts/var.sh ] || . $parts/var.sh

while read -r module need; do
  if [ "$need" = optional ]; then
    insmod "/modules/$module" 2>/dev/null
  else
    insmod "/modules/$module" || refuse "module $module does not load"
  fi
done </modules/order
[ ! -f $parts/tpm.sh ] || extend_phase enter-initrd

# Words are words, not patterns of file names. Of a word that comes twice the last one counts, as it does for systemd.
set -f
roothash= usrhash= scheme= katahash=
for word in $(cat /proc/cmdline); do
  case $word in
    roothash=*) roothash=${word#roothash=} ;;
    usrhash=*) usrhash=${word#usrhash=} ;;
    cc_rootfs_verity.scheme=*) scheme=${word#cc_rootfs_verity.scheme=} ;;
    cc_rootfs_verity.hash=*) katahash=${word#cc_rootfs_verity.hash=} ;;
  esac
done
set +f

# Confidential Containers' words for the same. One that is not dm-verity would leave the root unchecked.
if [ -n "$scheme$katahash" ]; then
  [ "$scheme" = dm-verity ] || refuse "cc_rootfs_verity.scheme=$scheme, dm-verity is expected"
  [ -z "$roothash" ] || refuse 'the command line has both roothash= and cc_rootfs_verity.hash='
  roothash=$katahash
fi
if [ -n "$usrhash" ]; then
  [ -z "$roothash" ] || refuse 'the command line has both a root hash and usrhash=; this initrd opens one'
  open_verity usr "$usrhash"
  make_root
else
  open_verity root "$roothash"
  mount_root
fi
hand_over
[ ! -f $parts/var.sh ] || mount_var

# What is sealed for the initrd stays closed from here on.
[ ! -f $parts/tpm.sh ] || extend_phase leave-initrd
for folder in dev proc sys run; do
  mount --move /$folder /sysroot/$folder || refuse "the root has no /$folder to mount on"
done
exec switch_root /sysroot /sbin/init
