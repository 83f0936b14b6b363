#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The init of an initrd that mounts each disk as EROFS, hands out what the kernel says of every file, and ends. A disk whose root
# hash is in /verity has partitions, data and hash tree, and is mounted through dm-verity.
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
exec >/dev/console 2>&1 </dev/console
while read -r module; do
  insmod "/modules/$module" || echo "list-images: $module does not load"
done </modules/order
mkdir -p /results /mnt
for disk in /dev/vd?; do
  name=${disk##*/}
  device=$disk
  if [ -e "/verity/$name" ]; then
    # Nobody answers for udev here.
    DM_DISABLE_UDEV=1 veritysetup open "${disk}1" "$name" "${disk}2" "$(cat "/verity/$name")" || continue
    device=/dev/mapper/$name
  fi
  mount -t erofs -o ro "$device" /mnt || {
    echo "list-images: $disk does not mount"
    continue
  }
  cd /mnt || continue
  find . -exec stat -c '%f %u %g %h %s %Y %t %T %n' {} + >"/results/$name.stat"
  find . -type f -exec sha256sum {} + >"/results/$name.sums"
  find . -type l -exec stat -c '%N' {} + >"/results/$name.links"
  getfattr -R -P -h -d -m - -e hex . >"/results/$name.xattrs"
  cd / && umount /mnt
  echo "list-images: $disk is read"
done
dmesg >/results/dmesg
cat /proc/partitions >/results/partitions
cd /results || exit 1
for port in /sys/class/virtio-ports/*; do
  [ "$(cat "$port/name")" = vouchsafe.results ] || continue
  find . -type f | cpio -o -H newc >"/dev/${port##*/}"
done
sync
poweroff -f
sleep 60
