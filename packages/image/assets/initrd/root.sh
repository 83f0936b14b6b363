# SPDX-License-Identifier: Apache-2.0
# What becomes the root.

mount_root() {
  mount -o ro -t erofs /dev/mapper/root /sysroot ||
    refuse 'the root does not have the root hash of the command line, or is no erofs'
  # Often a link, which leads somewhere only once the root is the root.
  [ -x /sysroot/sbin/init ] || [ -L /sysroot/sbin/init ] || refuse 'the root has no /sbin/init'
  echo 'vouchsafe-initrd: root verified'
}

# A hermetic /usr: it alone is kept, and the rest is made of it at each boot. file-hierarchy(7), systemd's
# tmpfiles.d/etc.conf: /usr/share/factory has the first content of /etc and /var.
make_root() {
  mount -t tmpfs -o mode=0755 root /sysroot || refuse 'no tmpfs for the root'
  mkdir /sysroot/usr
  mount -o ro -t erofs /dev/mapper/usr /sysroot/usr ||
    refuse 'the /usr does not have the usrhash= of the command line, or is no erofs'
  for name in bin sbin lib lib32 lib64 libx32; do
    [ ! -e "/sysroot/usr/$name" ] || ln -s "usr/$name" "/sysroot/$name"
  done
  mkdir /sysroot/dev /sysroot/proc /sysroot/sys /sysroot/run /sysroot/etc /sysroot/var
  mkdir -m 0700 /sysroot/root
  mkdir -m 1777 /sysroot/tmp
  if [ -d /sysroot/usr/share/factory ]; then
    cp -a /sysroot/usr/share/factory/. /sysroot/ || refuse '/usr/share/factory cannot be copied'
  fi
  [ -x /sysroot/usr/sbin/init ] || [ -L /sysroot/usr/sbin/init ] || refuse 'the /usr has no sbin/init'
  echo 'vouchsafe-initrd: /usr verified'
}

# What the stub has put beside the initrd, each measured by it, where systemd of the root looks: tmpfiles.d/20-systemd-stub.conf
# for the signatures; src/core/import-creds.c for credentials; systemd-sysext(8) for extensions.
hand_over() {
  mkdir -p /run/systemd /run/credentials
  chmod 0700 /run/credentials
  for file in tpm2-pcr-signature.json tpm2-pcr-public-key.pem; do
    [ ! -f "/.extra/$file" ] || cp "/.extra/$file" "/run/systemd/$file" || refuse "$file cannot be copied"
  done
  for folder in credentials global_credentials; do
    [ -d "/.extra/$folder" ] || continue
    mkdir -p -m 0700 /run/credentials/@encrypted
    for file in "/.extra/$folder"/*.cred; do
      name=${file##*/}
      cp "$file" "/run/credentials/@encrypted/${name%.cred}" || refuse "$name cannot be copied"
    done
  done
  for pair in sysext:extensions confext:confexts; do
    [ ! -d "/.extra/${pair%:*}" ] || cp -r "/.extra/${pair%:*}" "/run/${pair#*:}" ||
      refuse "the extensions of /.extra/${pair%:*} cannot be copied"
  done
}
