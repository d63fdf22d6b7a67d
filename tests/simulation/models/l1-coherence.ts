import type { Model, Move } from "./explore.ts";

// One process with a copy of one value in its memory, a server that announces every invalidation on a connection which
// keeps the order of messages, and heartbeats on that same connection. Anything may be late, and the connection may be
// cut without notice. A copy that may be read must not have been invalidated longer ago than the bound.

/** The protocol, and the variations that are known to be wrong. */
export interface L1Design {
  /** Whether a value is kept although an announcement came between its request and its arrival. */
  readonly fill: "unless-announced" | "always";
  /** How long copies may be read without news. */
  readonly trust: "since-ping" | "since-pong" | "while-connected";
  /** Whether a new subscription forgets what was copied before. */
  readonly resubscribe: "forgets" | "keeps";
  /** From when the age of a copy counts. */
  readonly age: "request" | "arrival";
}

/** The design of this package. */
export const chosenL1: L1Design = {
  fill: "unless-announced",
  trust: "since-ping",
  resubscribe: "forgets",
  age: "request",
};

/** How large the model is, in ticks of its clock. */
export interface L1Size {
  readonly ticks: number;
  readonly writes: number;
  readonly cuts: number;
  /** Which bound is checked: that of announcements, or that of age alone. */
  readonly bound: "lag" | "age";
  readonly boundTicks: number;
}

type Message = { readonly kind: "push" } | { readonly kind: "pong"; readonly askedAt: number };

interface Lookup {
  readonly askedAt: number;
  /** How many announcements had come when it was asked; undefined while nothing is announced. */
  readonly heard: number | undefined;
  readonly version: number | null;
}

/** A state of {@link l1Coherence}. */
export interface L1State {
  readonly now: number;
  /** When each version became the current one. */
  readonly since: readonly number[];
  readonly link: "up" | "cut" | "down" | "asked" | "subscribed";
  readonly askedAt: number;
  readonly pipe: readonly Message[];
  readonly ping: number | null;
  readonly provenAt: number | null;
  readonly heard: number;
  readonly lookup: Lookup | null;
  readonly copy: { readonly version: number; readonly until: number } | null;
  readonly cuts: number;
}

type L1Move = Move<L1State>;

/** The copies in one process's memory, as a model. */
export function l1Coherence(design: L1Design, size: L1Size): Model<L1State> {
  return {
    initial: {
      now: 0,
      since: [0],
      link: "up",
      askedAt: 0,
      pipe: [],
      ping: null,
      provenAt: 0,
      heard: 0,
      lookup: null,
      copy: null,
      cuts: size.cuts,
    },
    moves: (state) => [
      ...serverMoves(size, state),
      ...(size.bound === "lag" ? connectionMoves(design, state) : []),
      ...lookupMoves(design, size, state),
    ],
    violation: (state) => staleness(design, size, state),
  };
}

function staleness(design: L1Design, { bound, boundTicks }: L1Size, state: L1State): string | undefined {
  const { copy, now, since, provenAt, link } = state;
  if (copy === null || now >= copy.until) return undefined;
  const isConnected = link === "up" || link === "cut";
  const isTrusted = design.trust === "while-connected" ? isConnected : now < (provenAt ?? -Infinity) + boundTicks;
  if (bound === "lag" && !isTrusted) return undefined;
  const stale = since.findIndex((at, version) => version > copy.version && at <= now - boundTicks);
  if (stale < 0) return undefined;
  return `at ${now}, version ${copy.version} may be read; ${stale} replaced it at ${since[stale]}`;
}

function serverMoves({ ticks, writes }: L1Size, state: L1State): L1Move[] {
  const { now, since, pipe, link } = state;
  const moves: L1Move[] = [];
  if (now < ticks) moves.push({ label: `it is ${now + 1}`, next: { ...state, now: now + 1 } });
  if (since.length > writes) return moves;
  const isHeard = link === "up" || link === "subscribed";
  const announced = isHeard ? [...pipe, { kind: "push" } as const] : pipe;
  moves.push({ label: "the server invalidates", next: { ...state, since: [...since, now], pipe: announced } });
  return moves;
}

function connectionMoves(design: L1Design, state: L1State): L1Move[] {
  return [...messageMoves(design, state), ...subscriptionMoves(design, state)];
}

function messageMoves(design: L1Design, state: L1State): L1Move[] {
  const { link, ping, pipe, now } = state;
  const moves: L1Move[] = [];
  const isOpen = link === "up" || link === "subscribed";
  if (link === "up" && ping === null && !pipe.some(({ kind }) => kind === "pong")) {
    moves.push({ label: "pings", next: { ...state, ping: now } });
  }
  if (link === "up" && ping !== null) {
    const pong = { kind: "pong", askedAt: ping } as const;
    moves.push({ label: "the server answers the ping", next: { ...state, ping: null, pipe: [...pipe, pong] } });
  }
  if (isOpen && pipe[0]) moves.push(delivery(design, state, pipe[0]));
  return moves;
}

function subscriptionMoves(design: L1Design, state: L1State): L1Move[] {
  const { now, cuts } = state;
  const to = (label: string, changes: Partial<L1State>): L1Move => ({ label, next: { ...state, ...changes } });
  const forgotten = design.resubscribe === "forgets" ? forgetting(state) : {};
  return {
    up: cuts > 0 ? [to("the connection is cut", { link: "cut", pipe: [], cuts: cuts - 1 })] : [],
    cut: [to("notices the cut", { ...forgetting(state), link: "down", ping: null, provenAt: null })],
    down: [to("asks to subscribe", { link: "asked", askedAt: now })],
    asked: [to("the server subscribes", { link: "subscribed" })],
    subscribed: [to("is subscribed", { ...forgotten, link: "up", provenAt: state.askedAt })],
  }[state.link];
}

function delivery(design: L1Design, state: L1State, message: Message): L1Move {
  const pipe = state.pipe.slice(1);
  if (message.kind === "push") return { label: "hears of it", next: { ...state, ...forgetting(state), pipe } };
  const provenAt = design.trust === "since-pong" ? state.now : message.askedAt;
  return { label: "gets the pong", next: { ...state, pipe, provenAt } };
}

function forgetting(state: L1State): Pick<L1State, "copy" | "heard"> {
  return { copy: null, heard: state.heard + 1 };
}

function lookupMoves(design: L1Design, size: L1Size, state: L1State): L1Move[] {
  const { lookup, since } = state;
  if (lookup === null) return state.copy === null ? [askMove(design, size, state)] : [];
  if (lookup.version !== null) return [arrivalMove(design, size, { state, lookup })];
  const version = since.length - 1;
  return [{ label: `the server answers ${version}`, next: { ...state, lookup: { ...lookup, version } } }];
}

function askMove(design: L1Design, { bound }: L1Size, state: L1State): L1Move {
  const { link, now, heard } = state;
  const mayFill = bound === "age" || link === "up" || link === "cut" || design.resubscribe === "keeps";
  const lookup: Lookup = { askedAt: now, heard: mayFill ? heard : undefined, version: null };
  return { label: "asks for the value", next: { ...state, lookup } };
}

interface Arrival {
  readonly state: L1State;
  readonly lookup: Lookup;
}

function arrivalMove(design: L1Design, { bound, boundTicks }: L1Size, { state, lookup }: Arrival): L1Move {
  const isKept = bound === "age" || design.fill === "always" || lookup.heard === state.heard;
  const from = design.age === "request" ? lookup.askedAt : state.now;
  // Without a bound by age a copy lasts longer than the model does.
  const until = bound === "age" ? from + boundTicks : 1000;
  const copy = isKept ? { version: lookup.version ?? 0, until } : null;
  return { label: isKept ? "keeps a copy" : "keeps none", next: { ...state, lookup: null, copy } };
}
