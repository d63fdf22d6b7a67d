/** The protocol, and the variations that are known to be wrong. */
export interface Design {
  /** When the token is taken with which a value is stored. */
  readonly capture: "before-load" | "at-store";
  /** What a generation is, and what its absence means. */
  readonly missing: "unique" | "zero";
  /** Whether a reader compares tokens. */
  readonly validate: boolean;
  /** When a getter may share the load of another one in its process. */
  readonly join: "lease-and-tokens" | "tokens" | "any" | "never";
  /** What keeps a load from storing after its key was dropped. */
  readonly drop: "lease" | "tombstone" | "nothing";
  /** Whether value and token are read by one command, or by two. */
  readonly reads: "together" | "value-first" | "token-first";
  /** Which read of its process a getter may share: one that was not sent yet, or any that is underway. */
  readonly share: "unsent" | "underway";
}

/** The design of this package. */
export const chosen: Design = {
  capture: "before-load",
  missing: "unique",
  validate: true,
  join: "lease-and-tokens",
  drop: "lease",
  reads: "together",
  share: "unsent",
};

/** How large the model is. */
export interface Size {
  /** The process of each getter. */
  readonly getters: readonly number[];
  /** What each writer does after its commit. */
  readonly writers: readonly ("flush" | "drop")[];
  /** How often the server may lose a key. */
  readonly evictions: number;
}

/** A stored row: its version, and the token that it was stored with. */
export interface Stored {
  readonly version: number;
  readonly stamp: number;
}

/** What a server is asked, and what it must answer. */
export type ServerStep =
  | { readonly ask: "read"; readonly stored: Stored | null; readonly token: number | null }
  | { readonly ask: "mint"; readonly token: number }
  | { readonly ask: "acquire"; readonly getter: number; readonly token: number; readonly holder: number }
  | {
      readonly ask: "store";
      readonly getter: number;
      readonly version: number;
      readonly stamp: number;
      readonly stored: boolean;
    }
  | { readonly ask: "flush"; readonly token: number }
  | { readonly ask: "drop" }
  | { readonly ask: "evict"; readonly what: "data" | "lease" | "generation" };
