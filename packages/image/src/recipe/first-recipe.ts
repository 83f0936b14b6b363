// SPDX-License-Identifier: Apache-2.0

/** A recipe to begin with: what must be said, and in comments what may be. */
export const FIRST_RECIPE = `# A vouchsafe image. Build it with: vouchsafe image build recipe.yaml
# Paths are relative to this file.

name: edge
version: 0.1.0

# The root file system: one of folder, tar (docker export, debootstrap and tar, mkosi), oci (an image layout) and packages
# (of Debian), or a list of layers.
root:
  tar: rootfs.tar
  # compression: lz4

# Changes of its files, one after the other. A rule that applies to nothing is a mistake, unless it is optional.
# rules:
#   - paths: ['usr/share/doc/**']
#     remove: true
#   - paths: [usr/bin/app]
#     set: { mode: 0755, uid: 0, gid: 0 }

# A kernel and its modules: Debian packages as they are, or a folder that they were unpacked to.
kernel:
  packages: [linux-image.deb]
  # version: 6.1.0-13-amd64

# Without this an initrd is made that opens the verity root, on a virtual machine, and nothing else.
# initrd:
#   modules: [virtio_pci, virtio_blk, virtio_console, dm-verity, erofs]
#   root-hash-signature: required

# What is under dm-verity, root or usr (hermetic: all else is made of it at each boot), and room for a next version.
# layout:
#   verity: usr
#   slots: 2
#   slot-size: 2G
#   esp-size: 512M

# An encrypted /var, made on the first boot; its key is sealed to this machine and to what the pcr key has signed.
# var:
#   size: 4G

# Files beside the image on the ESP, measured into PCR 12 and 13.
# sysexts: [debug.raw]
# credentials: [site.cred]

# systemd's stub, the first part of the image.
# stub: /usr/lib/systemd/boot/efi/linuxx64.efi.stub

command-line: console=ttyS0 quiet

# systemd-boot between firmware and image.
# loader: /usr/lib/systemd/boot/efi/systemd-bootx64.efi

# Made with: vouchsafe keys generate keys
keys: keys

# Which files the kernel measures as they are used (IMA, PCR 10). Their digests are in the lists beside the manifest.
# ima:
#   policy: tcb

# Most that the image may need; one that needs more is not built.
# budgets:
#   disk: 512M
#   uki: 64M
#   boot: 20s

# What the root extends into PCR 11 after the initrd's own phases (systemd-pcrphase).
# phases: ['enter-initrd:leave-initrd:sysinit', 'enter-initrd:leave-initrd:sysinit:ready']

# The phases in which what is sealed to the pcr key opens; with an encrypted /var only this one, unless they are given.
# policy-phases: [enter-initrd]
`;
