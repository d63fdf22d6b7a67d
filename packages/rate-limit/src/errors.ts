import { describeValue, SluiceError } from "@sluice/core";

/** The store failed, and the policy says that nothing passes unchecked: `onStoreError: "deny"`. */
export class RateLimitUnavailableError extends SluiceError {
  override readonly code = "ERR_SLUICE_RATE_LIMIT_UNAVAILABLE";
  /** The policy that could not be checked. */
  readonly policy: string;

  /** @param options - Carries the store's error as `cause`. */
  constructor(policy: string, options?: ErrorOptions) {
    super(`The store of the policy "${policy}" failed, so the call is refused. Answer 503 and let it be tried again.`, {
      ...options,
    });
    this.policy = policy;
  }
}

/** A call costs more than its limit ever allows. Nothing was spent. */
export class CostExceedsLimitError extends SluiceError {
  override readonly code = "ERR_SLUICE_COST_EXCEEDS_LIMIT";
  /** The limit that can never be met. */
  readonly limitName: string;
  /** What the call costs. */
  readonly cost: number;
  /** What the limit allows at most, an override included. */
  readonly limit: number;

  /** @param facts - The limit by name, and the two numbers. */
  constructor({
    limitName,
    cost,
    limit,
  }: {
    readonly limitName: string;
    readonly cost: number;
    readonly limit: number;
  }) {
    super(`A cost of ${cost} never fits the limit "${limitName}" of ${limit}. Split the call or raise the limit.`);
    this.limitName = limitName;
    this.cost = cost;
    this.limit = limit;
  }
}

/** A memory store holds as many blocks and overrides as it may. Nothing was written. */
export class RateLimitMarksFullError extends SluiceError {
  override readonly code = "ERR_SLUICE_RATE_LIMIT_MARKS_FULL";
  /** Subjects that may have marks. */
  readonly maxSubjects: number;

  /** @param maxSubjects - Of the store. */
  constructor(maxSubjects: number) {
    super(`The memory store has blocks and overrides of ${maxSubjects} subjects already. Raise maxSubjects.`);
    this.maxSubjects = maxSubjects;
  }
}

/** A store answered what no limiter can read. */
export class RateLimitReplyError extends SluiceError {
  override readonly code = "ERR_SLUICE_RATE_LIMIT_REPLY";

  /** @param reply - What it answered. Shown shortened. */
  constructor(reply: unknown) {
    super(`The store's answer has another form than this release reads, got ${describeValue(reply)}.`);
  }
}
