import { createHash } from "node:crypto";

import type { Argument, Entry, Reply, Script } from "./port.ts";
import { batchScript } from "./scripts.generated.ts";

/** Makes a repeat of a batch, by a client that resends, answer what the first one did. */
export interface Nonce {
  readonly key: string;
  readonly keepMs: number;
}

/** An answer, or the server's error for this entry alone. */
export type Outcome = { readonly answer: Reply } | { readonly error: string };

const batches = new WeakMap<Script, Script>();

// What a script has before this line is run once for all entries of a batch, and without KEYS and ARGV.
const entryMark = "\n--@entry\n";
const entryHead = "local function entry(KEYS, ARGV)\n";

/** The script that runs the body of `script` for many entries. Made once per script. */
export function batchOf(script: Script): Script {
  const known = batches.get(script);
  if (known) return known;
  const mark = script.source.indexOf(entryMark);
  const shared = mark < 0 ? "" : `${script.source.slice(0, mark)}\n`;
  const body = mark < 0 ? script.source : script.source.slice(mark + entryMark.length);
  const source = batchScript.source
    .replace(entryHead, () => shared + entryHead)
    .replace("--@body\n", () => `${body}\n`);
  const sha1 = createHash("sha1").update(source).digest("hex");
  const batch: Script = { name: `${script.name}*`, source, sha1 };
  batches.set(script, batch);
  return batch;
}

/** Whether the entries may share a batch: equally many keys and arguments each is how the script tells them apart. */
export function alike(one: Entry, other: Entry): boolean {
  return one.keys.length === other.keys.length && one.args.length === other.args.length;
}

/** The keys and arguments of a batch, as `batch.lua` describes them. */
export function pack(entries: readonly Entry[], nonce: Nonce | undefined): Entry {
  const keys: string[] = [];
  const args: Argument[] = [entries.length, nonce?.keepMs ?? 0];
  for (const entry of entries) {
    for (const key of entry.keys) keys.push(key);
    for (const argument of entry.args) args.push(argument);
  }
  if (nonce) keys.push(nonce.key);
  return { keys, args };
}

/** What each of `count` entries gets from the reply of a batch. */
export function unpack(reply: Reply, count: number): Outcome[] {
  const [answers, failures] = Array.isArray(reply) ? (reply as readonly Reply[]) : [];
  if (!Array.isArray(answers) || answers.length !== count || !Array.isArray(failures)) {
    return Array.from({ length: count }, () => ({ error: "ERR the answer is not that of a batch" }));
  }
  const outcomes = (answers as readonly Reply[]).map((answer): Outcome => ({ answer }));
  for (let index = 0; index < failures.length; index += 2) {
    outcomes[Number(failures[index]) - 1] = { error: text(failures[index + 1]) };
  }
  return outcomes;
}

function text(reply: unknown): string {
  return reply instanceof Uint8Array ? new TextDecoder().decode(reply) : String(reply);
}
