export { canonicalJson, type CanonicalJsonOptions } from "./canonical-json.ts";
export { canonicalParams, type CanonicalParamsOptions, type ParamRecord, type ParamValue } from "./canonical-params.ts";
export { sleep, systemClock, type Clock, type ScheduleOptions, type Timer } from "./clock.ts";
export { parseDuration, type Duration, type DurationRange, type DurationUnit } from "./duration.ts";
export { describeValue, hasCode, InvalidArgumentError, SluiceError, type ErrorCode } from "./errors.ts";
export { JsonInvalidError, type JsonInvalidReason } from "./json-invalid.ts";
export { parseJson, type JsonValue, type ParseJsonOptions } from "./json-text.ts";
export { NotCanonicalError, type NotCanonicalReason, type ValuePath } from "./not-canonical.ts";
export { ParamsInvalidError, parseCanonicalParams } from "./params-text.ts";
export { seededRandom, systemRandom, type Random } from "./random.ts";
export {
  createSingleFlight,
  type FlightOptions,
  type SingleFlight,
  type SingleFlightOptions,
  type UnsharedRunEvent,
} from "./single-flight.ts";
export {
  eventChannel,
  traceChannel,
  type EventChannel,
  type EventChannelName,
  type TraceChannel,
  type TraceChannelName,
  type TraceListeners,
  type TraceMessage,
} from "./telemetry.ts";
