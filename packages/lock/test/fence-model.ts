/**
 * Two holders, each of whom mints a token and then writes in a transaction that its token guards. The lock is not part
 * of the model: whatever it does, anybody may believe to hold it at any time. A state is what the database holds and how
 * far each holder has come.
 */
export type Step = "mint" | "guard" | "write" | "commit";
export type Holder = "A" | "B";

interface Progress {
  readonly done: number;
  readonly token: number;
  /** Whether its open transaction passed the guard. */
  readonly guarded: boolean;
  readonly refused: boolean;
}

interface State {
  /** The greatest token given out. */
  readonly minted: number;
  readonly A: Progress;
  readonly B: Progress;
  /** Tokens of the writes, in the order of their transactions' commits. */
  readonly committed: readonly number[];
}

/** What a design may get wrong. The model with a flaw must break. */
export type Flaw = "guard-without-a-lock" | "guard-outside-of-the-transaction" | "token-from-a-server-that-forgets";

export const program: readonly Step[] = ["mint", "guard", "write", "commit"];
const fresh: Progress = { done: 0, token: 0, guarded: false, refused: false };
const start: State = { minted: 0, A: fresh, B: fresh, committed: [] };

/** One holder's next step, or that it has to wait for the other's transaction. */
export type Move = { readonly holder: Holder; readonly step: Step; readonly outcome: "done" | "refused" };

/**
 * All runs to the end. With a flaw: those of the flawed design.
 *
 * @yields the moves that were made, and what was committed.
 */
export function* runs(
  flaw?: Flaw,
): Generator<{ readonly moves: readonly Move[]; readonly committed: readonly number[] }> {
  const open: { readonly state: State; readonly moves: readonly Move[] }[] = [{ state: start, moves: [] }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { state, moves } = next;
    const steps = (["A", "B"] as const).flatMap((holder) => moved(state, holder, flaw));
    if (steps.length === 0) yield { moves, committed: state.committed };
    for (const { state: after, move } of steps) open.push({ state: after, moves: [...moves, move] });
  }
}

/** What must hold at the end of every run: no write of an earlier holder comes after one of a later. */
export function isFenced(committed: readonly number[]): boolean {
  return committed.every((token, index) => index === 0 || token > (committed[index - 1] ?? 0));
}

interface Moved {
  readonly state: State;
  readonly move: Move;
}

function moved(state: State, holder: Holder, flaw: Flaw | undefined): Moved[] {
  const me = state[holder];
  const other = state[holder === "A" ? "B" : "A"];
  const step = me.refused ? undefined : program[me.done];
  if (step === undefined) return [];
  const at = (change: Partial<Progress>, rest: Partial<State> = {}): Moved[] => {
    const outcome = change.refused ? "refused" : "done";
    const progress = { ...me, done: me.done + 1, ...change };
    return [{ state: { ...state, ...rest, [holder]: progress }, move: { holder, step, outcome } }];
  };
  if (step === "mint") {
    // The row's share lock makes it wait for a transaction that passed the guard.
    if (other.guarded && flaw !== "guard-without-a-lock") return [];
    const minted = (flaw === "token-from-a-server-that-forgets" ? 0 : state.minted) + 1;
    return at({ token: minted }, { minted });
  }
  if (step === "guard") {
    if (me.token !== state.minted) return at({ refused: true });
    return at({ guarded: flaw !== "guard-outside-of-the-transaction" });
  }
  if (step === "write") return at({});
  return at({ guarded: false }, { committed: [...state.committed, me.token] });
}
