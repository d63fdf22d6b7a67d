import { chaosFaults, type ChaosFault } from "./chaos-plan.ts";

/** What was done with one call, for an oracle to check results against. */
export interface ChaosRecord {
  /** Number of the call among the calls, from 0. For an operation `"message"`: its number among the messages. */
  readonly call: number;
  /** Method of the port, or `"message"` for one that a subscription brought. */
  readonly operation: string;
  /** Name of the script, command or channel, or the beginning of the statement, without parameters. */
  readonly subject: string;
  readonly fault: ChaosFault | "none";
  /** How often the work was done to its end and answered. For a message: how often it was delivered. */
  readonly executions: number;
  /** How often the work failed by itself. */
  readonly failures: number;
  /**
   * What the caller was told: `refused` and `lost` are injected errors, `failed` is the work's own error, `aborted` the
   * reason of the signal. `pending` as long as it was told nothing.
   */
  readonly outcome: "pending" | "answered" | "failed" | "refused" | "lost" | "aborted";
}

/** A record that is being written. */
export type OpenRecord = { -readonly [Key in keyof ChaosRecord]: ChaosRecord[Key] };

/** A bounded history, with counts that forget nothing. */
export interface ChaosHistory {
  readonly records: readonly ChaosRecord[];
  readonly forgotten: number;
  readonly counts: Readonly<Record<ChaosFault | "none", number>>;
  begin(operation: string, subject: string, fault: ChaosFault | "none"): OpenRecord;
}

const shownCharacters = 80;

/** @param limit - How many records are kept; the oldest go first. */
export function createHistory(limit: number): ChaosHistory {
  const records: OpenRecord[] = [];
  const counts = Object.fromEntries(["none", ...chaosFaults].map((fault) => [fault, 0])) as Record<
    ChaosFault | "none",
    number
  >;
  const next = { calls: 0, messages: 0 };
  let forgotten = 0;
  return {
    records,
    counts,
    get forgotten() {
      return forgotten;
    },
    begin(operation, subject, fault) {
      counts[fault] += 1;
      const call = operation === "message" ? next.messages++ : next.calls++;
      const shown = subject.replaceAll(/\s+/g, " ").trim().slice(0, shownCharacters);
      const record: OpenRecord = {
        call,
        operation,
        subject: shown,
        fault,
        executions: 0,
        failures: 0,
        outcome: "pending",
      };
      records.push(record);
      if (records.length > limit) {
        records.shift();
        forgotten += 1;
      }
      return record;
    },
  };
}
