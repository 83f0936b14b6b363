// SPDX-License-Identifier: Apache-2.0

/**
 * The kernel's templates, each as a list of fields. Linux, Documentation/security/IMA-templates.rst, and
 * security/integrity/ima/ima_template.c, builtin_templates.
 */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  ima: ['d', 'n'],
  'ima-ng': ['d-ng', 'n-ng'],
  'ima-ngv2': ['d-ngv2', 'n-ng'],
  'ima-sig': ['d-ng', 'n-ng', 'sig'],
  'ima-sigv2': ['d-ngv2', 'n-ng', 'sig'],
  'ima-buf': ['d-ng', 'n-ng', 'buf'],
  'ima-modsig': ['d-ng', 'n-ng', 'sig', 'd-modsig', 'modsig'],
  'evm-sig': ['d-ng', 'n-ng', 'evmsig', 'xattrnames', 'xattrlengths', 'xattrvalues', 'iuid', 'igid', 'imode'],
};

/** TEMPLATE_NUM_FIELDS_MAX of security/integrity/ima/ima.h. */
export const MAX_FIELDS = 15;

/**
 * The fields of a template by its name. A kernel that was given a format of its own (ima_template_fmt=) writes that format
 * in place of a name: 'd-ng|n-ng|sig'.
 */
export function templateFields(name: string): readonly string[] | undefined {
  if (Object.hasOwn(TEMPLATES, name)) return TEMPLATES[name];
  const fields = name.split('|');
  return fields.length > 1 && fields.length <= MAX_FIELDS && fields.every((field) => field !== '') ? fields : undefined;
}
