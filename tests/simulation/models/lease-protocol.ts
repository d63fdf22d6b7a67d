import type { Model, Move } from "./explore.ts";
import type { Design, ServerStep, Size, Stored } from "./lease-design.ts";

// One key in one group, read through the cache by several getters in two processes, while writers change the row and
// invalidate. Every command to the server is one atomic step; everything between two steps may interleave. A getter
// that begins after an invalidation was applied must not return a row from before it.

type Place =
  | "idle"
  | "read"
  | "second-read"
  | "answered"
  | "mint"
  | "acquire"
  | "load"
  | "store"
  | "joined"
  | "apart"
  | "done";

interface Getter {
  readonly at: Place;
  /** The version that the last invalidation before this getter began vouches for. */
  readonly floor: number;
  readonly token: number | null;
  readonly seen: Stored | "tombstone" | null;
  readonly version: number | null;
  readonly joined: number | null;
}

/** A state of {@link leaseProtocol}. */
export interface LeaseState {
  readonly committed: number;
  readonly vouched: number;
  readonly tokens: number;
  readonly generation: number | null;
  readonly data: Stored | "tombstone" | null;
  readonly lease: { readonly getter: number; readonly token: number } | null;
  readonly writers: readonly { readonly at: "idle" | "committed" | "done"; readonly version: number }[];
  readonly getters: readonly Getter[];
  readonly evictions: number;
  readonly wrong: string | null;
}

type LeaseMove = Move<LeaseState, ServerStep>;

/** The protocol between processes that share one server, as a model. */
export function leaseProtocol(design: Design, size: Size): Model<LeaseState, ServerStep> {
  const idle: Getter = { at: "idle", floor: 0, token: null, seen: null, version: null, joined: null };
  return {
    initial: {
      committed: 0,
      vouched: 0,
      tokens: 0,
      generation: null,
      data: null,
      lease: null,
      writers: size.writers.map(() => ({ at: "idle", version: 0 })),
      getters: size.getters.map(() => idle),
      evictions: size.evictions,
      wrong: null,
    },
    moves: (state) => [
      ...state.getters.flatMap((_, index) => getterMoves(design, size, { state, index })),
      ...state.writers.flatMap((_, index) => writerMoves(design, size, { state, index })),
      ...(state.evictions > 0 ? evictionMoves(state) : []),
    ],
    violation: ({ wrong }) => wrong ?? undefined,
  };
}

interface Turn {
  readonly state: LeaseState;
  readonly index: number;
}

function getterMoves(design: Design, size: Size, turn: Turn): readonly LeaseMove[] {
  const { at } = turn.state.getters[turn.index] as Getter;
  return programs[at](design, size, turn);
}

type Program = (design: Design, size: Size, turn: Turn) => readonly LeaseMove[];

/** What a getter does next, by where it is. */
const programs: Readonly<Record<Place, Program>> = {
  idle: beginMoves,
  read: (design, _size, turn) => readMoves(design, turn),
  "second-read": secondReadMoves,
  answered(design, size, turn) {
    const { seen, token } = turn.state.getters[turn.index] as Getter;
    return [{ label: `${turn.index} has its answer`, next: judged(design, size, { turn, seen, token }) }];
  },
  mint: (_design, _size, turn) => mintMoves(turn),
  acquire: acquireMoves,
  load(_design, _size, turn) {
    const { committed } = turn.state;
    return [
      {
        label: `${turn.index} loads version ${committed}`,
        next: withGetter(turn, { at: "store", version: committed }),
      },
    ];
  },
  store: (design, _size, turn) => storeMoves(design, turn),
  joined: (_design, _size, turn) => sharedMoves(turn),
  apart(_design, _size, turn) {
    const { committed } = turn.state;
    return [{ label: `${turn.index} loads version ${committed} for itself`, next: finished(turn, committed) }];
  },
  done: () => [],
};

function mintMoves(turn: Turn): LeaseMove[] {
  const { state, index } = turn;
  const token = state.generation ?? state.tokens + 1;
  const rest = { generation: token, tokens: Math.max(state.tokens, token) };
  const next = withGetter(turn, { at: "acquire", token }, rest);
  return [{ label: `${index} mints`, next, step: { ask: "mint", token } }];
}

function sharedMoves(turn: Turn): LeaseMove[] {
  const { joined } = turn.state.getters[turn.index] as Getter;
  const { version } = turn.state.getters[joined ?? 0] as Getter;
  if (version === null) return [];
  return [{ label: `${turn.index} shares version ${version}`, next: finished(turn, version) }];
}

function beginMoves(design: Design, size: Size, turn: Turn): LeaseMove[] {
  const { state, index } = turn;
  const begun = { floor: state.vouched };
  const shareable: readonly Place[] = design.share === "unsent" ? ["read"] : ["read", "answered"];
  const leader = state.getters.findIndex(
    ({ at }, other) => size.getters[other] === size.getters[index] && shareable.includes(at),
  );
  const alone = { label: `${index} begins`, next: withGetter(turn, { at: "read", ...begun }) };
  if (leader < 0) return [alone];
  return [
    { label: `${index} begins with ${leader}`, next: withGetter(turn, { at: "joined", joined: leader, ...begun }) },
  ];
}

function readMoves(design: Design, turn: Turn): LeaseMove[] {
  const { state, index } = turn;
  const { data, generation } = state;
  if (design.reads !== "together") {
    const part = design.reads === "value-first" ? { seen: data } : { token: generation };
    return [{ label: `${index} reads the first part`, next: withGetter(turn, { at: "second-read", ...part }) }];
  }
  const stored = data === "tombstone" ? null : data;
  const next = withGetter(turn, { at: "answered", seen: data, token: generation });
  return [{ label: `${index} reads`, next, step: { ask: "read", stored, token: generation } }];
}

function secondReadMoves(design: Design, size: Size, turn: Turn): LeaseMove[] {
  const { state, index } = turn;
  const getter = state.getters[index] as Getter;
  const seen = design.reads === "value-first" ? getter.seen : state.data;
  const token = design.reads === "value-first" ? state.generation : getter.token;
  return [{ label: `${index} reads the second part`, next: judged(design, size, { turn, seen, token }) }];
}

interface Snapshot {
  readonly turn: Turn;
  readonly seen: Stored | "tombstone" | null;
  readonly token: number | null;
}

function judged(design: Design, size: Size, { turn, seen, token: read }: Snapshot): LeaseState {
  const token = read ?? (design.missing === "zero" ? 0 : null);
  const isHit = seen !== null && seen !== "tombstone" && (!design.validate || (token !== null && seen.stamp === token));
  if (isHit) return finished(turn, seen.version);
  if (token === null) return withGetter(turn, { at: "mint", seen });
  const other =
    design.join === "tokens" || design.join === "any" ? loadToJoin(design, size, { turn, token }) : undefined;
  if (other !== undefined) return withGetter(turn, { at: "joined", joined: other, token });
  return withGetter(turn, { at: "acquire", token, seen });
}

function loadToJoin(design: Design, size: Size, { turn, token }: { turn: Turn; token: number }): number | undefined {
  const { state, index } = turn;
  const found = state.getters.findIndex(
    ({ at, token: loadedWith }, other) =>
      size.getters[other] === size.getters[index] &&
      (at === "load" || at === "store") &&
      (design.join === "any" || loadedWith === token),
  );
  return found < 0 ? undefined : found;
}

function acquireMoves(design: Design, size: Size, turn: Turn): LeaseMove[] {
  const { state, index } = turn;
  const token = (state.getters[index] as Getter).token ?? 0;
  const { lease } = state;
  // A load with an older token can only store what no reader would take: the newer one goes ahead.
  const isFree = lease === null || design.drop !== "lease" || lease.token < token;
  const holder = isFree ? index : lease.getter;
  const label = `${index} ${isFree ? "takes the lease" : `finds the lease of ${holder}`}`;
  const step: ServerStep = { ask: "acquire", getter: index, token, holder };
  if (isFree) {
    return [{ label, step, next: withGetter(turn, { at: "load" }, { lease: { getter: index, token } }) }];
  }
  const mayJoin =
    design.join === "lease-and-tokens" && size.getters[holder] === size.getters[index] && lease.token === token;
  return [{ label, step, next: withGetter(turn, mayJoin ? { at: "joined", joined: holder } : { at: "apart" }) }];
}

function storeMoves(design: Design, turn: Turn): LeaseMove[] {
  const { state, index } = turn;
  const { version, token, seen } = state.getters[index] as Getter;
  const loaded = version ?? 0;
  const atStore = state.generation ?? (design.missing === "zero" ? 0 : null);
  const stamp = (design.capture === "at-store" ? atStore : token) ?? 0;
  const allowed = {
    lease: state.lease?.getter === index,
    tombstone: state.data !== "tombstone" && JSON.stringify(state.data) === JSON.stringify(seen),
    nothing: true,
  }[design.drop];
  const rest = allowed ? { data: { version: loaded, stamp }, lease: null } : {};
  const step: ServerStep = { ask: "store", getter: index, version: loaded, stamp, stored: allowed };
  return [{ label: `${index} ${allowed ? "stores" : "may not store"}`, step, next: finished(turn, loaded, rest) }];
}

function writerMoves(design: Design, size: Size, { state, index }: Turn): LeaseMove[] {
  const { at, version } = state.writers[index] as LeaseState["writers"][number];
  const kind = size.writers[index];
  const moved = (writer: LeaseState["writers"][number], rest: Partial<LeaseState>): LeaseState => ({
    ...state,
    ...rest,
    writers: state.writers.with(index, writer),
  });
  if (at === "idle") {
    const committed = state.committed + 1;
    return [{ label: `W commits ${committed}`, next: moved({ at: "committed", version: committed }, { committed }) }];
  }
  if (at === "done") return [];
  const vouched = Math.max(state.vouched, version);
  if (kind === "flush") {
    const token = design.missing === "zero" ? (state.generation ?? 0) + 1 : state.tokens + 1;
    const rest = { vouched, generation: token, tokens: Math.max(state.tokens, token) };
    return [{ label: "W flushes", next: moved({ at: "done", version }, rest), step: { ask: "flush", token } }];
  }
  const rest = { vouched, data: design.drop === "tombstone" ? ("tombstone" as const) : null, lease: null };
  return [{ label: "W drops", next: moved({ at: "done", version }, rest), step: { ask: "drop" } }];
}

function evictionMoves(state: LeaseState): LeaseMove[] {
  const evictions = state.evictions - 1;
  const moves: LeaseMove[] = [];
  const add = (what: "data" | "lease" | "generation", next: LeaseState): void => {
    moves.push({ label: `the server loses the ${what}`, next, step: { ask: "evict", what } });
  };
  if (state.data !== null) add("data", { ...state, data: null, evictions });
  if (state.lease !== null) add("lease", { ...state, lease: null, evictions });
  if (state.generation !== null) add("generation", { ...state, generation: null, evictions });
  return moves;
}

function withGetter({ state, index }: Turn, changes: Partial<Getter>, rest: Partial<LeaseState> = {}): LeaseState {
  const getter = { ...(state.getters[index] as Getter), ...changes };
  return { ...state, ...rest, getters: state.getters.with(index, getter) };
}

function finished(turn: Turn, version: number, rest: Partial<LeaseState> = {}): LeaseState {
  const { floor } = turn.state.getters[turn.index] as Getter;
  const wrong = version < floor ? `${turn.index} returns version ${version} after ${floor} was vouched for` : null;
  // What is done takes part in nothing but being shared.
  return withGetter(turn, { at: "done", version, floor: 0, seen: null }, { ...rest, wrong });
}
