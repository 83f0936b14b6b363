// SPDX-License-Identifier: Apache-2.0
export { type Coverage, checkEventData, coverageOf } from './data/coverage.ts';
export { decodeEventData, type EventData } from './data/event-data.ts';
export {
  type UefiGptData,
  type UefiImageLoadEvent,
  type UefiVariableData,
  uefiGptData,
  uefiImageLoadEvent,
  uefiVariableData,
} from './data/structures.ts';
export { type EventText, textOf } from './data/text.ts';
export { EventLogError, type EventLogErrorCode } from './error.ts';
export { type BootEvent, digestOf, type EventDigest } from './event.ts';
export type { LogFinding, LogFindingCode } from './finding.ts';
export { decodeImaEntry, type ImaEntry, type ImaFile } from './ima/entry.ts';
export { decodeImaList, type ImaEvent, type ImaListOptions } from './ima/list.ts';
export {
  findImaPrefix,
  IMA_PCR,
  type ImaPadding,
  type ImaPrefix,
  type ImaReplay,
  type ImaReplayOptions,
  replayIma,
} from './ima/replay.ts';
export { IMA_LIMITS, type LogLimits, TCG_LIMITS } from './limits.ts';
export { checkReplay } from './tcg/check-replay.ts';
export { TCG_EVENT_TYPES, type TcgEventType } from './tcg/event-type.ts';
export { decodeTcgLog, type TcgEvent, type TcgLog, type TcgLogOptions, type TcgLogQuirk } from './tcg/log.ts';
export {
  initialPcr,
  type Replay,
  type ReplayedBank,
  type ReplayOptions,
  type ReplayQuirk,
  replayedPcr,
  replayTcgLog,
} from './tcg/replay.ts';
export { checkSeparators, type SeparatorMeaning, separatorMeaning } from './tcg/separator.ts';
export { tcgEfiStartupLocalityEvent } from './tcg/startup.ts';
export { type TcgEfiSpecIdEvent, tcgEfiSpecIdEvent } from './tcg/structures.ts';
