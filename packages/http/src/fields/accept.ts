const mostRanges = 32;

/**
 * The weight that an `Accept` header gives to a media type by name, from 0 to 1 (RFC 9110, 12.5.1). Undefined when it
 * does not name it: ranges such as `*` do not count. O(length), at most 32 ranges.
 */
export function namedWeight(accept: string, mediaType: string): number | undefined {
  for (const range of accept.split(",", mostRanges)) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    if (type === mediaType) return weight(parameters);
  }
  return undefined;
}

function weight(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith("q="));
  if (given === undefined) return 1;
  return /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(given) ? Number(given.slice(2)) : 0;
}
