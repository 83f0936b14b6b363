// SPDX-License-Identifier: Apache-2.0

/** What an architecture's partitions are for. */
export type PartitionRole = 'root' | 'root-verity' | 'root-verity-sig' | 'usr' | 'usr-verity' | 'usr-verity-sig';

/** Type UUIDs by architecture. UAPI.2 Discoverable Partitions, "Defined Partition Type UUIDs"; systemd, src/systemd/sd-gpt.h. */
const ARCHITECTURE_TYPES = {
  'x86-64': {
    root: '4f68bce3-e8cd-4db1-96e7-fbcaf984b709',
    'root-verity': '2c7357ed-ebd2-46d9-aec1-23d437ec2bf5',
    'root-verity-sig': '41092b05-9fc8-4523-994f-2def0408b176',
    usr: '8484680c-9521-48c6-9c11-b0720656f69e',
    'usr-verity': '77ff5f63-e7b6-4633-acf4-1565b864c0e6',
    'usr-verity-sig': 'e7bb33fb-06cf-4e81-8273-e543b413e2e2',
  },
  arm64: {
    root: 'b921b045-1df0-41c3-af44-4c6f280d3fae',
    'root-verity': 'df3300ce-d69f-4c92-978c-9bfb0f38d820',
    'root-verity-sig': '6db69de6-29f4-4758-a7a5-962190f00ce3',
    usr: 'b0e01050-ee5f-4390-949a-9101b17104e9',
    'usr-verity': '6e11a4e7-fbca-4ded-b9e9-e1a512bb664e',
    'usr-verity-sig': 'c23ce4ff-44bd-4b00-b2d4-b41b3419e02a',
  },
  riscv64: {
    root: '72ec70a6-cf74-40e6-bd49-4bda08e8f224',
    'root-verity': 'b6ed5582-440b-4209-b8da-5ff7c419ea3d',
    'root-verity-sig': 'efe0f087-ea8d-4469-821a-4c2a96a8386a',
    usr: 'beaec34b-8442-439b-a40b-984381ed097d',
    'usr-verity': '8f1056be-9b05-47c4-81d6-be53128e5b54',
    'usr-verity-sig': 'd2f9000a-7a18-453f-b5cd-4d32f77a7b32',
  },
  x86: {
    root: '44479540-f297-41b2-9af7-d131d5f0458a',
    'root-verity': 'd13c5d3b-b5d1-422a-b29f-9454fdc89d76',
    'root-verity-sig': '5996fc05-109c-48de-808b-23fa0830b676',
    usr: '75250d76-8cc6-458e-bd66-bd47cc81a812',
    'usr-verity': '8f461b0d-14ee-4e81-9aa9-049b6fb97abd',
    'usr-verity-sig': '974a71c0-de41-43c3-be5d-5c5ccd1ad2c0',
  },
  arm: {
    root: '69dad710-2ce4-4e3c-b16c-21a1d49abed3',
    'root-verity': '7386cdf2-203c-47a9-a498-f2ecce45a2d6',
    'root-verity-sig': '42b0455f-eb11-491d-98d3-56145ba9d037',
    usr: '7d0359a3-02b3-4f0a-865c-654403e70625',
    'usr-verity': 'c215d751-7bcd-4649-be90-6627490a4c05',
    'usr-verity-sig': 'd7ff812f-37d1-4902-a810-d76ba57b975a',
  },
  loongarch64: {
    root: '77055800-792c-4f94-b39a-98c91b762bb6',
    'root-verity': 'f3393b22-e9af-4613-a948-9d3bfbd0c535',
    'root-verity-sig': '5afb67eb-ecc8-4f85-ae8e-ac1e7c50e7d0',
    usr: 'e611c702-575c-4cbe-9a46-434fa0bf7e3f',
    'usr-verity': 'f46b2c26-59ae-48f0-9106-c50ed47f673d',
    'usr-verity-sig': 'b024f315-d330-444c-8461-44bbde524e99',
  },
  s390x: {
    root: '5eead9a9-fe09-4a1e-a1d7-520d00531306',
    'root-verity': 'b325bfbe-c7be-4ab8-8357-139e652d2f6b',
    'root-verity-sig': 'c80187a5-73a3-491a-901a-017c3fa953e9',
    usr: '8a4f5770-50aa-4ed3-874a-99b710db6fea',
    'usr-verity': '31741cc4-1a2a-4111-a581-e00b447d2d06',
    'usr-verity-sig': '3f324816-667b-46ae-86ee-9b0c0c6c11b4',
  },
  'ppc64-le': {
    root: 'c31c45e6-3f39-412e-80fb-4809c4980599',
    'root-verity': '906bd944-4589-4aae-a4e4-dd983917446a',
    'root-verity-sig': 'd4a236e7-e873-4c07-bf1d-bf6cf7f1c3c6',
    usr: '15bb03af-77e7-4d4a-b12b-c0d084f7491c',
    'usr-verity': 'ee2b9983-21e8-4153-86d9-b6901a54d1ce',
    'usr-verity-sig': 'c8bfbd1e-268e-4521-8bba-bf314c399557',
  },
} as const satisfies Record<string, Record<PartitionRole, string>>;

/** The architectures, by systemd's names. */
export type PartitionArchitecture = keyof typeof ARCHITECTURE_TYPES;

/** Type UUIDs that are the same on all architectures. UAPI.2 and UEFI 2.10, section 5.3.3, table 5.7. */
const COMMON_TYPES = {
  esp: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b',
  xbootldr: 'bc13c2ff-59e6-4262-a352-b275fd6f7172',
  swap: '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f',
  home: '933ac7e1-2eb4-4f13-b844-0e14e2aef915',
  srv: '3b8f8425-20e0-4f3b-907f-1a25a76f98e8',
  var: '4d21b016-b534-45c2-a9fb-5c16e091fd2d',
  tmp: '7ec6f557-3bc5-4aca-b293-16ef5df639d1',
  'linux-generic': '0fc63daf-8483-4772-8e79-3d69d8477de4',
} as const;

export type CommonPartitionType = keyof typeof COMMON_TYPES;

export const PARTITION_ARCHITECTURES = Object.keys(ARCHITECTURE_TYPES) as readonly PartitionArchitecture[];

/** The type UUID of one of the partitions that every architecture has its own of. */
export function architecturePartitionType(role: PartitionRole, architecture: PartitionArchitecture): string {
  return ARCHITECTURE_TYPES[architecture][role];
}

/** The type UUID of one of the other partitions. */
export function commonPartitionType(name: CommonPartitionType): string {
  return COMMON_TYPES[name];
}

/** systemd puts the architecture behind the first word: root-x86-64-verity-sig. */
function nameOf(role: string, architecture: string): string {
  const [first, ...others] = role.split('-');
  return [first, architecture, ...others].join('-');
}

const UUIDS = new Map<string, string>([
  ...Object.entries(COMMON_TYPES),
  ...Object.entries(ARCHITECTURE_TYPES).flatMap(([architecture, types]) =>
    Object.entries(types).map(([role, uuid]): [string, string] => [nameOf(role, architecture), uuid]),
  ),
]);
const NAMES = new Map([...UUIDS].map(([name, uuid]) => [uuid, name]));

/** The type UUID by systemd's name (root-x86-64-verity, esp); undefined for a name that is not in the table. */
export function partitionTypeUuid(name: string): string | undefined {
  return UUIDS.get(name);
}

/** systemd's name of a type UUID in lower case, which is the default label too; undefined when it is not in the table. */
export function partitionTypeName(uuid: string): string | undefined {
  return NAMES.get(uuid);
}
