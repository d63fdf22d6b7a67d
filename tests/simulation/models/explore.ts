/** A step that a model may take next, and the state that it leads to. States are plain data. */
export interface Move<State, Step = unknown> {
  /** What happens, for a trace: `"0 reads"`. */
  readonly label: string;
  readonly next: State;
  /** What a server is asked in this step and what it answers, for a replay on a real one. */
  readonly step?: Step;
}

/** A protocol, as small as it can be while its races are all still there. */
export interface Model<State, Step = unknown> {
  readonly initial: State;
  /** Every step that some actor could take next, in any order. */
  moves(state: State): readonly Move<State, Step>[];
  /** What is wrong with a state, or undefined. */
  violation(state: State): string | undefined;
}

/** What an exploration found. */
export interface Exploration {
  readonly states: number;
  readonly violations: number;
  /** The steps to the first violation, and what it is. */
  readonly counterexample: readonly string[] | undefined;
}

interface Trace {
  readonly label: string;
  readonly before: Trace | undefined;
}

/**
 * Visits every reachable state once. Breadth first, so that the first violation has a shortest trace.
 *
 * @param stopAt - Ends the search at this many violations.
 */
export function explore<State>(model: Model<State>, { stopAt = Infinity }: { stopAt?: number } = {}): Exploration {
  const seen = new Set<string>();
  const queue: { readonly state: State; readonly trace: Trace | undefined }[] = [];
  let violations = 0;
  let counterexample: readonly string[] | undefined;
  const visit = (state: State, trace: Trace | undefined): void => {
    const key = JSON.stringify(state);
    if (seen.has(key)) return;
    seen.add(key);
    const wrong = model.violation(state);
    if (wrong === undefined) {
      queue.push({ state, trace });
      return;
    }
    violations += 1;
    counterexample ??= [...stepsOf(trace), wrong];
  };
  visit(model.initial, undefined);
  // The queue grows while it is walked.
  for (const { state, trace } of queue) {
    if (violations >= stopAt) break;
    for (const { label, next } of model.moves(state)) visit(next, { label, before: trace });
  }
  return { states: seen.size, violations, counterexample };
}

function stepsOf(trace: Trace | undefined): string[] {
  const steps: string[] = [];
  for (let step = trace; step; step = step.before) steps.unshift(step.label);
  return steps;
}

/** One way through the model, chosen by `pick`: what a server is asked on the way, and what it must answer. */
export function walk<State, Step>(model: Model<State, Step>, pick: (below: number) => number): Step[] {
  const steps: Step[] = [];
  let state = model.initial;
  for (;;) {
    const moves = model.moves(state);
    if (moves.length === 0) return steps;
    const { next, step } = moves[pick(moves.length)] as Move<State, Step>;
    if (step !== undefined) steps.push(step);
    state = next;
  }
}
