import { canonicalParams, InvalidArgumentError, type ParamRecord } from "@sluice/core";

import { bounded, encodeSegment } from "./key.ts";

const prefixPattern = /^[\w.-]+(?::[\w.-]+)*$/;
const longestPrefix = 100;

/** The keys of the generations of one prefix. They share a hash slot, and releases of any version share them. */
export interface Family {
  /** The prefix without its version. */
  readonly name: string;
  /** Everything under the prefix. */
  readonly all: string;
  /** Everything of one scope. */
  scope(scope: string): string;
  /** What a scope has grouped by these values. */
  group(scope: string, name: string, value: ParamRecord[string]): string;
  /** Keys of several segments, by their first. */
  lead(segment: string): string;
  /** Results with a tag. */
  tag(tag: string): string;
  /** Changes with every invalidation of any tag. */
  readonly anyTag: string;
}

/**
 * The generations under a prefix. `v1:feed` and `v2:feed` are one family: an invalidation by one release of an
 * application reaches the records of the other.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a prefix that is not words joined by colons.
 */
export function familyOf(prefix: string, argument = "prefix"): Family {
  const name = checkedPrefix(prefix, argument).replace(/^v\d+:(?=.)/, "");
  const base = `sl:{${name}}`;
  return {
    name,
    all: `${base}:g`,
    scope: (scope) => `${base}:s:${scope}`,
    group: (scope, group, value) => `${base}:q:${scope}:${bounded(canonicalParams({ [group]: value }))}`,
    lead: (segment) => `${base}:p:${bounded(segment)}`,
    tag: (tag) => `${base}:t:${bounded(encodeSegment(tag, "tag"))}`,
    anyTag: `${base}:tb`,
  };
}

/** Refuses what is not words of letters, digits, `_`, `.` and `-`, joined by colons. */
export function checkedPrefix(prefix: unknown, argument: string): string {
  if (typeof prefix === "string" && prefix.length <= longestPrefix && prefixPattern.test(prefix)) return prefix;
  throw new InvalidArgumentError(argument, 'up to 100 letters, digits, _ . - in words joined by ":"', prefix);
}
