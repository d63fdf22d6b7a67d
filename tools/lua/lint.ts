import { isPart } from "./parts.ts";
import { parseLua, type LuaScript } from "./script.ts";

type Rule = (script: LuaScript) => string[];

const linesMax = 250;

/**
 * Everything that is wrong with a Lua file on its own, a sentence each: what {@link lintScript} says of a script with
 * its parts in place would not say in which file it stands.
 */
export function lintFile(name: string, source: string): string[] {
  const lines = source.trimEnd().split("\n").length;
  return [
    ...(lines > linesMax ? [`has ${lines} lines, and ${linesMax} are the most: move a part of it to a file`] : []),
    ...(isPart(source) ? partRule(name, source) : []),
    ...trapsRule(parseLua(name, source)),
  ];
}

/** Everything that is wrong with a script whose parts are in place, a sentence each. */
export function lintScript(name: string, source: string): string[] {
  const script = parseLua(name, source);
  if (script.header.length === 0) return ["begins with no header: --[[ on a line, text, ]] on a line"];
  return [headerRule, keysRule, argumentsRule, globalsRule].flatMap((rule) => rule(script));
}

function partRule(name: string, source: string): string[] {
  const [, named, what = ""] = /^--@part (\S+):(.*)/.exec(source) ?? [];
  return named === name && what.trim() !== "" ? [] : [`does not begin with "--@part ${name}: " and what it is about`];
}

const headerRule: Rule = ({ name, header }) => {
  const cost = header.findIndex((line) => line.startsWith("O("));
  const why = cost < 0 ? [] : header.slice(cost + 1).filter((line) => line.trim() !== "");
  return [
    ...(header[0]?.startsWith(`${name}: `) ? [] : [`the header does not begin with "${name}: " and what it does`]),
    ...(header.some((line) => /^returns\s+\S/.test(line)) ? [] : ['the header has no line "returns  …"']),
    ...(cost < 0 ? ['the header has no line "O(…) …" with the cost and the number of slots'] : []),
    ...(cost >= 0 && why.length === 0 ? ["the header does not say why, in its last lines"] : []),
  ];
};

const keysRule: Rule = (script) => listRule(script, "KEYS");
const argumentsRule: Rule = (script) => listRule(script, "ARGV");

function listRule({ documented, code }: LuaScript, list: "KEYS" | "ARGV"): string[] {
  const places = documented.filter((place) => place.list === list);
  const open = places.find((place) => place.open);
  const used = new Set([...code.matchAll(new RegExp(`\\b${list}\\[(\\d+)\\]`, "g"))].map((match) => Number(match[1])));
  // As a whole (#KEYS, unpack(KEYS)) or by a computed place (KEYS[i]): more than the numbered ones can be meant.
  const whole = new RegExp(`\\b${list}\\b(?!\\[\\d+\\])`).test(code);
  const gaps = places.filter((place, index) => place.first !== index + 1 || (place.open && index < places.length - 1));
  const known = (place: number): boolean =>
    places.some(({ first, open: rest }) => first === place || (rest && first < place));
  return [
    ...gaps.map(({ first }) => `${list}[${first}] is documented out of turn`),
    ...[...used].filter((place) => !known(place)).map((place) => `${list}[${place}] is used and not documented`),
    ...places
      .filter(({ first, open: rest }) => !rest && !used.has(first))
      .map(({ first }) => `${list}[${first}] is documented and not used`),
    ...(open && !whole ? [`${list}[${open.first}..] is documented and not used`] : []),
    ...(whole && !open ? [`${list} is used as a whole, and no ${list}[n..] is documented`] : []),
  ];
}

const traps: readonly { readonly pattern: RegExp; readonly advice: string }[] = [
  {
    pattern: /\btostring\((?!answer\))/,
    advice: "tostring() keeps 14 digits, too few for microseconds: use string.format('%d', …) or '%.17g'",
  },
  {
    pattern: /\bARGV\[\d+\]\s*[=~]=\s*-?\d/,
    advice: "an argument is a string and never equals a number: compare tonumber(ARGV[n])",
  },
  { pattern: /\bmath\.random\b/, advice: "math.random repeats itself in every run: pass randomness as an argument" },
  { pattern: /\bos\.|\bio\./, advice: "Redis has no os.time nor io: use redis.call('TIME') or an argument" },
];

const trapsRule: Rule = ({ code, source }) => [
  ...traps.filter(({ pattern }) => pattern.test(code)).map(({ advice }) => advice),
  // In the source, as the format is a string.
  ...(/string\.format\(\s*['"][^'"]*%d[^'"]*['"]\s*,[^)]*\//.test(source)
    ? ["string.format('%d', …) cuts a quotient off: say math.floor() or math.ceil()"]
    : []),
];

const globalsRule: Rule = ({ code }) => {
  const declared = new Set(
    [...code.matchAll(/\b(?:local(?: function)?|for)\s+([\w, ]+)/g)].flatMap((match) =>
      (match[1] ?? "").split(/[, ]+/),
    ),
  );
  for (const match of code.matchAll(/function\s*\w*\(([^)]*)\)/g)) {
    for (const parameter of (match[1] ?? "").split(/[, ]+/)) declared.add(parameter);
  }
  const assigned = [...code.matchAll(/^\s*(\w+)(?:\s*,\s*\w+)*\s*=(?!=)/gm)].map((match) => match[1] ?? "");
  const global = new Set(assigned.filter((name) => !declared.has(name)));
  return [...global].filter((name) => name !== "local").map((name) => `${name} is assigned and not local`);
};
