export { sleep, systemClock, type Clock, type ScheduleOptions, type Timer } from "./clock.ts";
export { parseDuration, type Duration, type DurationRange, type DurationUnit } from "./duration.ts";
export { describeValue, hasCode, InvalidArgumentError, SluiceError, type ErrorCode } from "./errors.ts";
export { seededRandom, systemRandom, type Random } from "./random.ts";
