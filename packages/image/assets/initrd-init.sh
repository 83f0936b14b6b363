#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The init of an initrd that opens one verity root and fails closed. All that it trusts is measured: itself, as a part of
# the initrd, and the root hash, as a part of the command line.
export PATH=/bin DM_DISABLE_UDEV=1
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
exec >/dev/console 2>&1 </dev/console

refuse() {
  echo "vouchsafe-initrd: refused: $*"
  sleep 1
  poweroff -f
  # Whatever poweroff does, nothing below runs: when init ends, the kernel stops.
  exit 1
}

echo 'vouchsafe-initrd: start'
while read -r module; do
  insmod "/modules/$module" || refuse "module $module does not load"
done </modules/order

# Words are words, not patterns of file names.
set -f
roothash=
for word in $(cat /proc/cmdline); do
  case $word in
    roothash=*) roothash=${word#roothash=} ;;
  esac
done
set +f
case $roothash in
  '' | *[!0-9a-f]*) refuse 'the command line has no roothash= in lower-case hexadecimal' ;;
esac
[ ${#roothash} = 64 ] || refuse "roothash= has ${#roothash} digits, 64 are expected"

# Discoverable Partitions: the first half of the root hash is the data partition's UUID, the second the tree's. Kernels
# before 6.9 do not say a partition's UUID in sysfs, so its name serves; the root hash decides in any case.
find_partition() {
  for uevent in /sys/class/block/*/uevent; do
    if grep -qx "PARTNAME=$1" "$uevent"; then
      device=${uevent%/uevent}
      echo "/dev/${device##*/}"
      return
    fi
  done
  return 1
}
tries=0
until data=$(find_partition root-x86-64) && tree=$(find_partition root-x86-64-verity); do
  tries=$((tries + 1))
  [ $tries -lt 200 ] || refuse 'no partitions root-x86-64 and root-x86-64-verity'
  sleep 0.05
done

# The superblock is not trusted: whatever it says, only data with this root hash is ever read.
field() { dd if="$tree" bs=1 skip="$1" count="$2" 2>/dev/null | od -A n -v -t "$3" | tr -d ' \n'; }
data_block_size=$(field 64 4 u4)
hash_block_size=$(field 68 4 u4)
data_blocks=$(field 72 4 u4)
salt_size=$(field 80 2 u2)
salt=$(field 88 "$salt_size" x1)
table="0 $((data_blocks * data_block_size / 512)) verity 1 $data $tree $data_block_size $hash_block_size $data_blocks 1 sha256 $roothash ${salt:--}"
dmsetup create root --readonly --table "$table" || refuse 'the verity device cannot be made'
mount -o ro -t erofs /dev/mapper/root /sysroot || refuse 'the root does not have the root hash of the command line, or is no erofs'
# Often a link, which leads somewhere only once the root is the root.
[ -x /sysroot/sbin/init ] || [ -L /sysroot/sbin/init ] || refuse 'the root has no /sbin/init'
echo 'vouchsafe-initrd: root verified'
mount --move /dev /sysroot/dev
mount --move /proc /sysroot/proc
mount --move /sys /sysroot/sys
exec switch_root /sysroot /sbin/init
