// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type DiskErrorCode =
  | 'options_invalid' // a size, place or number asked for that the format does not have
  | 'no_space' // what is to be written does not fit into the size asked for
  | 'limit' // a count or size exceeds what the format, or this product, takes
  | 'name_invalid' // a name that the format cannot hold
  | 'name_collision' // two names that are the same to a reader of the format
  | 'tree_invalid' // entries that make no tree: no parent, twice the same path, a hard link to nothing
  | 'path_escape' // a path or a hard link that leads out of its tree
  | 'link_followed' // a path that goes through a symbolic link, so that its content would land elsewhere
  | 'path_duplicate' // a path twice where it may come once
  | 'rule_unmatched' // a rule that applies to nothing
  | 'tar_malformed' // bytes that are not a tar archive, or one that was cut or changed
  | 'tar_unsupported' // a kind of tar member that cannot become part of a tree
  | 'deb_malformed' // bytes that are not a Debian package
  | 'compression_malformed' // compressed bytes that do not decompress
  | 'compression_unsupported' // a compression that is not read, or of a kind that is not
  | 'oci_missing' // no OCI image layout where one was expected
  | 'oci_malformed' // an OCI image layout that breaks the format's rules
  | 'oci_unsupported' // a media type or digest that is not read
  | 'oci_ambiguous' // no image of a layout, or more than one, is the one asked for
  | 'input_changed' // a file that changed after the tree was listed
  | 'xattrs_unreadable' // extended attributes that this host cannot tell
  | 'digest_mismatch' // bytes that are not those of the digest, or not as many
  | 'gpt_missing' // no GUID partition table where one was expected
  | 'gpt_damaged' // a GUID partition table with faults, where a sound one is needed
  | 'partition_range' // a partition that does not lie inside its disk
  | 'fat_missing' // no FAT file system where one was expected
  | 'fat_malformed' // a FAT file system that breaks the format's rules
  | 'erofs_missing' // no EROFS file system where one was expected
  | 'erofs_malformed' // an EROFS file system that breaks the format's rules, or whose checksum is wrong
  | 'erofs_unsupported' // an EROFS feature that this product does not read; the message names it
  | 'cpio_malformed' // bytes that are not a cpio archive in the new ASCII format
  | 'luks2_missing' // no LUKS2 header where one was expected
  | 'luks2_malformed' // a LUKS2 header of which no copy is whole, or whose JSON area is none
  | 'definition_invalid' // a partition definition that says what cannot be, or what is not done here
  | 'release_malformed' // an os-release or extension-release file that breaks the rules of os-release(5)
  | 'policy_malformed' // an image policy that systemd.image-policy(7) does not allow
  | 'not_found' // no entry of that path in a file system
  | 'not_a_file'; // a directory, where a file is needed, or the other way round

export class DiskError extends VouchsafeError<DiskErrorCode> {
  override readonly name = 'DiskError';
  readonly code: DiskErrorCode;

  constructor(code: DiskErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
