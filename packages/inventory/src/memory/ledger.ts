import type {
  Extension,
  Level,
  MovementResult,
  Purged,
  Reservation,
  StockEvent,
  StockLevel,
  Violation,
} from "../reservation.ts";
import type { BatchDecision, Decision, EndDecision, Wanted, WantedBatch, WantedEnd, WantedMovement } from "../store.ts";
import { createState, type Held, type State, type Stock } from "./state.ts";

/** The rules of stock over plain maps: what the database does, one call at a time. */
export class Ledger {
  readonly state: State;

  constructor(state: State = createState()) {
    this.state = state;
  }

  reserve(wanted: Wanted, now: number): Decision {
    const known = this.state.reservations.get(wanted.id);
    if (known) return knownDecision(known, wanted, now);
    const unknown = wanted.lines.find(({ productId }) => !this.state.stock.has(productId));
    if (unknown) return { outcome: "unknown_product", productId: unknown.productId };
    const replaced = this.state.reservations.get(wanted.replaces ?? "");
    const given = replaced?.state === "open" ? replaced.lines : [];
    const givenOf = (productId: string): number => given.find((line) => line.productId === productId)?.quantity ?? 0;
    for (const { productId, quantity } of wanted.lines) {
      const available = this.#available(productId);
      if (available + givenOf(productId) < quantity) return { outcome: "sold_out", productId, available };
    }
    if (replaced && given.length > 0) Object.assign(replaced, { state: "released", resolvedAt: now });
    const { lines, reference } = wanted;
    const dueMs = now + wanted.ttlMs;
    this.state.reservations.set(wanted.id, { state: "open", lines, dueMs, reference, resolvedAt: 0 });
    const changes = new Map(lines.map(({ productId, quantity }) => [productId, quantity]));
    for (const { productId, quantity } of given) changes.set(productId, (changes.get(productId) ?? 0) - quantity);
    const levels = [...changes].map(([productId, quantity]) => this.#change(productId, { reserved: quantity }, now));
    return { outcome: "reserved", expiresAtMs: dueMs, levels };
  }

  reserveBatch({ productId, ttlMs, requests }: WantedBatch, now: number): BatchDecision {
    const stock = this.state.stock.get(productId);
    if (!stock) return { decisions: requests.map(() => ({ outcome: "unknown_product", productId })), level: undefined };
    const decisions = requests.map(({ id, quantity }) =>
      this.reserve({ id, lines: [{ productId, quantity }], ttlMs, reference: undefined, replaces: undefined }, now),
    );
    const available = this.#available(productId);
    const final = decisions.map((decision) =>
      decision.outcome === "sold_out" ? { ...decision, available } : decision,
    );
    return { decisions: final, level: { productId, available, version: stock.version } };
  }

  end({ ids, to, late }: WantedEnd, now: number): EndDecision {
    const levels = new Map<string, Level>();
    const ends = ids.map((id): EndDecision["ends"][number] => {
      const held = this.state.reservations.get(id);
      if (!held) return { status: "missing", changed: false };
      if (held.state === "expired" && to === "confirmed" && late === "reacquire") this.#reopen(held, now);
      if (held.state !== "open") return { status: held.state, changed: false };
      if (to === "confirmed" && late === "reject" && held.dueMs <= now) return { status: "late", changed: false };
      Object.assign(held, { state: to, resolvedAt: now });
      for (const { productId, quantity } of held.lines) {
        const isSale = to === "confirmed";
        if (isSale) this.#record({ productId, kind: "sale", delta: -quantity, key: `${id}:${productId}` }, now);
        levels.set(productId, this.#change(productId, { reserved: -quantity, onHand: isSale ? -quantity : 0 }, now));
      }
      return { status: to, changed: true };
    });
    return { ends, levels: [...levels.values()] };
  }

  expire(limit: number, now: number): { ids: readonly string[]; levels: readonly Level[] } {
    const due = [...this.state.reservations].filter(([, held]) => held.state === "open" && held.dueMs <= now);
    const ids = due
      .toSorted(([, one], [, other]) => one.dueMs - other.dueMs)
      .slice(0, limit)
      .map(([id]) => id);
    const { levels } = this.end({ ids, to: "expired", late: "reject", reason: undefined }, now);
    return { ids, levels };
  }

  extend(id: string, ms: number, now: number): Extension {
    const held = this.state.reservations.get(id);
    if (!held) return { id, status: "missing" };
    if (held.state !== "open") return { id, status: held.state };
    if (held.dueMs <= now) return { id, status: "late" };
    held.dueMs = Math.max(held.dueMs, now + ms);
    return { id, status: "extended", expiresAtMs: held.dueMs };
  }

  move(wanted: WantedMovement, now: number): MovementResult {
    const { productId, kind, delta, key } = wanted;
    if (kind === "restock" && !this.state.stock.has(productId)) this.state.stock.set(productId, newStock());
    const stock = this.state.stock.get(productId);
    if (!stock) return { status: "unknown_product" };
    const level = { productId, available: this.#available(productId), version: stock.version };
    const known = this.state.movements.get(`${kind}:${key}`);
    if (known) {
      return known.productId === productId && known.delta === delta
        ? { status: "duplicate", level }
        : { status: "conflict" };
    }
    const onHand = stock.onHand + delta;
    if (onHand < stock.reserved || onHand > Number.MAX_SAFE_INTEGER) return { status: "refused", level };
    this.#record(wanted, now);
    return { status: "applied", level: this.#change(productId, { onHand: delta }, now) };
  }

  setLowAt(productId: string, lowAt: number, now: number): boolean {
    const stock = this.state.stock.get(productId);
    if (!stock) return false;
    const available = this.#available(productId);
    const crossed = available > stock.lowAt && available <= lowAt;
    stock.lowAt = lowAt;
    stock.version += 1;
    if (crossed) this.#note("low_stock", { productId, available, version: stock.version }, now);
    return true;
  }

  get(id: string): Reservation | undefined {
    const held = this.state.reservations.get(id);
    if (!held) return undefined;
    const { state, lines, dueMs: expiresAtMs, reference } = held;
    return { id, state, lines, expiresAtMs, reference };
  }

  levels(asOfMs: number): readonly StockLevel[] {
    return [...this.state.stock]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([productId, { onHand, reserved, lowAt, version }]) => ({
        productId,
        available: onHand - reserved,
        version,
        onHand,
        reserved,
        lowAt,
        asOfMs,
      }));
  }

  violations(): readonly Violation[] {
    return this.levels(0).flatMap(({ productId, onHand, reserved }) => {
      const moved = this.#moved(productId);
      const held = [...this.state.reservations.values()].filter(({ state }) => state === "open");
      const lines = held.flatMap(({ lines: own }) => own.filter((line) => line.productId === productId));
      const open = lines.reduce((sum, { quantity }) => sum + quantity, 0);
      const isSound = onHand === moved && reserved === open && reserved >= 0 && reserved <= onHand;
      return isSound ? [] : [{ productId, onHand, moved, reserved, open }];
    });
  }

  checkpoint(): undefined {
    for (const movement of this.state.movements.values()) {
      const { onHand } = this.state.stock.get(movement.productId) ?? newStock();
      if (this.#moved(movement.productId) === onHand)
        movement.place = movement.place === "new" ? "covered" : movement.place;
    }
  }

  archive(beforeMs: number, limit: number): number {
    const old = [...this.state.movements.values()].filter(({ place, atMs }) => place === "covered" && atMs < beforeMs);
    for (const movement of old.slice(0, limit)) movement.place = "archived";
    return Math.min(old.length, limit);
  }

  purge(beforeMs: number, limit: number): Purged {
    const movements = [...this.state.movements].filter(
      ([, { place, atMs }]) => place === "archived" && atMs < beforeMs,
    );
    for (const [key, { productId, delta }] of movements.slice(0, limit)) {
      this.state.folded.set(productId, (this.state.folded.get(productId) ?? 0) + delta);
      this.state.movements.delete(key);
    }
    const ended = [...this.state.reservations].filter(
      ([, held]) => held.state !== "open" && held.resolvedAt < beforeMs,
    );
    for (const [id] of ended.slice(0, limit)) this.state.reservations.delete(id);
    const untaken = this.state.outbox.findIndex(({ atMs }) => atMs >= beforeMs);
    const events = Math.min(untaken === -1 ? this.state.outbox.length : untaken, limit);
    this.state.outbox.splice(0, events);
    return { movements: Math.min(movements.length, limit), reservations: Math.min(ended.length, limit), events };
  }

  takeEvents(limit: number): readonly StockEvent[] {
    return this.state.outbox.splice(0, limit).map(({ event }) => event);
  }

  #available(productId: string): number {
    const { onHand, reserved } = this.state.stock.get(productId) ?? newStock();
    return onHand - reserved;
  }

  #moved(productId: string): number {
    const own = [...this.state.movements.values()].filter((movement) => movement.productId === productId);
    return own.reduce((sum, { delta }) => sum + delta, this.state.folded.get(productId) ?? 0);
  }

  #reopen(held: Held, now: number): void {
    if (held.lines.some(({ productId, quantity }) => this.#available(productId) < quantity)) return;
    for (const { productId, quantity } of held.lines) this.#change(productId, { reserved: quantity }, now);
    // Late or not, it is held again by who has just asked for it.
    Object.assign(held, { state: "open", dueMs: Number.POSITIVE_INFINITY });
  }

  #record({ productId, kind, delta, key }: Omit<WantedMovement, "kind"> & { kind: string }, atMs: number): void {
    this.state.movements.set(`${kind}:${key}`, { productId, delta, atMs, place: "new" });
  }

  #change(productId: string, { onHand = 0, reserved = 0 }: Change, now: number): Level {
    const stock = this.state.stock.get(productId) ?? newStock();
    const before = stock.onHand - stock.reserved;
    stock.onHand += onHand;
    stock.reserved += reserved;
    stock.version += 1;
    const available = stock.onHand - stock.reserved;
    const level = { productId, available, version: stock.version };
    if (before > stock.lowAt && available <= stock.lowAt) this.#note("low_stock", level, now);
    else if (before <= 0 && available > 0) this.#note("back_in_stock", level, now);
    return level;
  }

  #note(kind: StockEvent["kind"], level: Level, atMs: number): void {
    this.state.seq += 1;
    this.state.outbox.push({ event: { seq: this.state.seq, kind, ...level }, atMs });
  }
}

interface Change {
  readonly onHand?: number;
  readonly reserved?: number;
}

function newStock(): Stock {
  return { onHand: 0, reserved: 0, lowAt: 0, version: 0 };
}

function knownDecision(known: Held, { lines }: Wanted, now: number): Decision {
  if (textOf(known.lines) !== textOf(lines)) return { outcome: "conflict" };
  if (known.state !== "open") return { outcome: known.state };
  return known.dueMs <= now ? { outcome: "expired" } : { outcome: "duplicate", expiresAtMs: known.dueMs };
}

function textOf(lines: Wanted["lines"]): string {
  return JSON.stringify(lines.map(({ productId, quantity }) => [productId, quantity]));
}
