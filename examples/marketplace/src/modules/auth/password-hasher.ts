import { timingSafeEqual } from "node:crypto";

import type { Random } from "@sluice/core";

import { type Argon2Cost, decodeHash, type DeriveTag, encodeHash, saltBytes, tagBytes } from "./argon2.ts";
import { createSlots } from "./slots.ts";

/** Makes and checks hashes of passwords. */
export interface PasswordHasher {
  /** A new hash, with a salt of its own. */
  hash(password: string): Promise<string>;
  /** Whether the hash is of this password. Where there is no hash it does the same work, and says no. */
  verify(password: string, hash: string | undefined): Promise<boolean>;
  /** Whether a hash was made at today's cost. */
  isCurrent(hash: string): boolean;
}

/** What hashing takes. */
export interface PasswordHasherOptions {
  readonly cost: Argon2Cost;
  readonly derive: DeriveTag;
  readonly random: Random;
}

// Node's thread pool has four threads, which files and DNS need as well. What waits holds no memory for its hash.
const [running, waiting] = [2, 100];

/** Hashes with Argon2id, two at a time. */
export function createPasswordHasher({ cost, derive, random }: PasswordHasherOptions): PasswordHasher {
  const slots = createSlots({ running, waiting });
  // Nobody's: its tag is no hash of anything.
  const decoy = encodeHash({ cost, salt: random.bytes(saltBytes), tag: random.bytes(tagBytes) });

  function tagOf(password: string, { memoryKib, passes, parallelism }: Argon2Cost, salt: Uint8Array) {
    const parameters = { memory: memoryKib, passes, parallelism, tagLength: tagBytes };
    return slots.run(() => derive({ message: Buffer.from(password), nonce: salt, ...parameters }));
  }

  return {
    async hash(password) {
      const salt = random.bytes(saltBytes);
      return encodeHash({ cost, salt, tag: await tagOf(password, cost, salt) });
    },
    async verify(password, hash) {
      const known = decodeHash(hash ?? decoy);
      const same = timingSafeEqual(await tagOf(password, known.cost, known.salt), known.tag);
      return same && hash !== undefined;
    },
    isCurrent(hash) {
      const { memoryKib, passes, parallelism } = decodeHash(hash).cost;
      return memoryKib === cost.memoryKib && passes === cost.passes && parallelism === cost.parallelism;
    },
  };
}
