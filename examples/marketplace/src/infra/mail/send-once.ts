import type { Sql, SqlDatabase } from "@sluice/postgres";

import type { Mail, Mailer } from "./mailer.ts";

/** A mail that is sent once. */
export interface OneMail {
  readonly kind: string;
  /** Of all attempts with the same key one is sent. */
  readonly key: string;
  /** What it says, as the database has it now. Undefined: there is nobody to tell any more. */
  readonly compose: (sql: Sql) => Promise<Omit<Mail, "id"> | undefined>;
}

const claim = "insert into notifications (dedupe, kind) values ($1, $2) on conflict (dedupe) do nothing";

/**
 * Sends a mail unless its key has been. The key is written first and committed last: who tries at the same time waits,
 * and an attempt that fails leaves nothing. A process that dies after the mail was taken and before its commit sends it
 * again, under the same Message-ID: no more can be had of SMTP.
 */
export async function sendOnce(sql: SqlDatabase, mailer: Mailer, { kind, key, compose }: OneMail): Promise<void> {
  await sql.transaction(async (transaction) => {
    const id = `${kind}.${key}`;
    const { rowCount } = await transaction.query(claim, [id, kind]);
    if (rowCount === 0) return;
    const mail = await compose(transaction);
    if (mail !== undefined) await mailer.send({ ...mail, id });
  });
}

/**
 * Sends several, one after the other. One that fails does not keep the others back.
 *
 * @throws an `AggregateError` of those that failed, after all have been tried.
 */
export async function sendEach(sql: SqlDatabase, mailer: Mailer, mails: readonly OneMail[]): Promise<void> {
  const errors: unknown[] = [];
  for (const mail of mails) await sendOnce(sql, mailer, mail).catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} of ${mails.length} mails were not sent`);
}
