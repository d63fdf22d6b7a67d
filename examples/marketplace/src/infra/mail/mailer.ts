import type { Log } from "../../http/log.ts";
import { smtpMailer } from "./smtp-mailer.ts";

/** A mail in plain text. */
export interface Mail {
  /** The same for every attempt to send this mail: it becomes the Message-ID. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Whoever sends mails. */
export interface Mailer extends AsyncDisposable {
  /** Resolves when the mail has been taken. */
  send(mail: Mail): Promise<void>;
}

/** How mails are sent. */
export interface MailerOptions {
  /** Undefined: mails are log lines. */
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string;
  readonly log: Pick<Log, "info">;
}

/** Sends mails to the server of `SMTP_URL`; where there is none, says in the log what would have been sent. */
export function createMailer({ smtpUrl, mailFrom, log }: MailerOptions): Mailer {
  return smtpUrl === undefined ? logMailer(log) : smtpMailer(smtpUrl, mailFrom);
}

// Whom it would go to is nobody's business who reads logs.
function logMailer(log: Pick<Log, "info">): Mailer {
  return {
    async send({ id, subject, text }) {
      log.info({ mail: { id, subject, text } }, "Mail, not sent: there is no SMTP_URL");
    },
    async [Symbol.asyncDispose]() {},
  };
}
