// SPDX-License-Identifier: Apache-2.0
export { type CelEncoding, type CelLog, type CelLogOptions, celEncodingOf, decodeCelLog } from './cel/log.ts';
export type { CelManagement, CelState } from './cel/management.ts';
export { type Coverage, checkEventData, coverageOf, type EventTrust, trustOf } from './data/coverage.ts';
export { decodeEventData, type EventData } from './data/event-data.ts';
export type { TextMeaning } from './data/ipl.ts';
export { decodeLoadOption, efiLoadOption, type LoadOption } from './data/load-option.ts';
export type { NoActionData, PlatformId } from './data/no-action.ts';
export {
  type UefiGptData,
  type UefiImageLoadEvent,
  type UefiVariableData,
  uefiGptData,
  uefiImageLoadEvent,
  uefiVariableData,
} from './data/structures.ts';
export type { UefiHandoffTablePointers } from './data/tables.ts';
export type { TagMeaning } from './data/tags.ts';
export { type EventText, textOf } from './data/text.ts';
export { decodeVariableValue, SHIM_LOCK, type VariableValue } from './data/variable-value.ts';
export { type DecodeLogOptions, decodeLog } from './decode-log.ts';
export { bestBank, type DescribedEvent, describeLog, summaryOf } from './describe.ts';
export { type DevicePathNode, decodeDevicePath, efiDevicePathHeader } from './device-path/nodes.ts';
export { devicePathFile, devicePathText } from './device-path/text.ts';
export { diffLogs, type EventChange, type LogDiff } from './diff.ts';
export { DRTM_EVENT_TYPES, type DrtmEventType } from './drtm/event-type.ts';
export { type LaunchState, type LocalityRule, launchState, localityRule, mayExtend } from './drtm/locality.ts';
export { type DrtmEvent, type DrtmLog, type DrtmLogOptions, decodeDrtmLog } from './drtm/log.ts';
export { decodeSlrTable, slrTable } from './drtm/slr-table.ts';
export { txtEventLogContainer } from './drtm/txt-container.ts';
export { decodeTxtHeap, heapEventLogPointer21, type LaunchLogPointer, osSinitData } from './drtm/txt-heap.ts';
export { EventLogError, type EventLogErrorCode } from './error.ts';
export {
  type BootEvent,
  digestOf,
  type EventDigest,
  isPcrEvent,
  type LogEvent,
  type LogSource,
  type NvEvent,
} from './event.ts';
export type { LogFinding, LogFindingCode } from './finding.ts';
export { decodeImaAscii, type ImaAsciiOptions } from './ima/ascii.ts';
export type { DeviceMapperEvent, DeviceMapperTarget } from './ima/device-mapper.ts';
export { decodeImaEntry, type EvmFields, type ImaEntry, type ImaFile, imaEntryOf } from './ima/entry.ts';
export { decodeImaList, type ImaEvent, type ImaListOptions, wholeImaEntriesBytes } from './ima/list.ts';
export { decodeImaAsciiLog, decodeImaBinaryLog, type ImaLog } from './ima/log.ts';
export {
  findImaPrefix,
  IMA_PCR,
  type ImaPadding,
  type ImaPrefix,
  type ImaReplay,
  type ImaReplayOptions,
  replayIma,
} from './ima/replay.ts';
export { CEL_LIMITS, IMA_LIMITS, type LogLimits, TCG_LIMITS, USERSPACE_LIMITS } from './limits.ts';
export type { BootLog, BootLogKind } from './log.ts';
export { parsePcrList } from './pcr-list/parse.ts';
export { isTdxLog, registerName } from './registers.ts';
export { comparePcrs, type PcrComparison } from './replay/compare.ts';
export { initialPcr } from './replay/initial.ts';
export { type Replay, type ReplayedBank, replayedPcr } from './replay/replay.ts';
export { banksOf, type ReplayOptions, type ReplayQuirk, replayFindings, replayLogs } from './replay/replay-logs.ts';
export { type BootStage, stagesOf } from './stage.ts';
export { checkReplay } from './tcg/check-replay.ts';
export { TCG_EVENT_TYPES, type TcgEventType } from './tcg/event-type.ts';
export { decodeTcgLog, type TcgEvent, type TcgLog, type TcgLogOptions, type TcgLogQuirk } from './tcg/log.ts';
export { replayTcgLog, type TcgReplayOptions } from './tcg/replay.ts';
export { readSecureBoot, type SecureBootReading } from './tcg/secure-boot.ts';
export { checkSeparators, type SeparatorMeaning, separatorMeaning } from './tcg/separator.ts';
export { tcgEfiStartupLocalityEvent } from './tcg/startup.ts';
export { type TcgEfiSpecIdEvent, tcgEfiSpecIdEvent } from './tcg/structures.ts';
export type { UserspaceContent } from './userspace/content.ts';
export {
  decodeUserspaceLog,
  type UserspaceEvent,
  type UserspaceLog,
  type UserspaceLogOptions,
} from './userspace/log.ts';
export { decodeWbcl, type SipaEvent, sipaEvent } from './windows/wbcl.ts';
export { formatTpm2Yaml } from './yaml/log-yaml.ts';
export type { YamlVersion } from './yaml/parts.ts';
