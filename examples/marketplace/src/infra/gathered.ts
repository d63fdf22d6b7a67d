/** Asks for several at once. Answers are in the order of what was asked. */
export type AskAll<Asked, Answer> = (asked: readonly Asked[]) => Promise<readonly Answer[]>;

interface Waiting<Asked, Answer> {
  readonly asked: Asked;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** One more than one, so that one question travels while the answer to another is read. */
const questionsAtOnce = 2;
const mostTogether = 500;

/**
 * A question of one, asked together with those of others: who asks while questions are under way becomes part of the next
 * one. So a crowd costs a few round trips, nobody waits for a company that does not come, and no answer is older than its
 * question. An error is that of all who were asked for together.
 */
export function gathered<Asked, Answer>(askAll: AskAll<Asked, Answer>): (asked: Asked) => Promise<Answer> {
  const waiting: Waiting<Asked, Answer>[] = [];
  let underWay = 0;

  async function askNext(): Promise<void> {
    underWay += 1;
    while (waiting.length > 0) await answer(waiting.splice(0, mostTogether));
    underWay -= 1;
  }

  async function answer(together: readonly Waiting<Asked, Answer>[]): Promise<void> {
    try {
      const answers = await askAll(together.map(({ asked }) => asked));
      if (answers.length !== together.length) throw new Error("Not everybody got an answer");
      for (const [place, value] of answers.entries()) together[place]?.resolve(value);
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
  }

  return (asked) =>
    new Promise((resolve, reject) => {
      waiting.push({ asked, resolve, reject });
      if (underWay < questionsAtOnce) void askNext();
    });
}
