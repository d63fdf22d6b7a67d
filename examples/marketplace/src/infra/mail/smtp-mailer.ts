import { createTransport } from "nodemailer";

import type { Mailer } from "./mailer.ts";

// A server that takes mails at all takes one within this time.
const connectTimeoutMs = 5000;
const silenceTimeoutMs = 10_000;

/** Sends mails over a few connections that stay open. A server that does not answer in time is an error. */
export function smtpMailer(url: string, from: string): Mailer {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === "smtps:";
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const transport = createTransport({
    pool: true,
    maxConnections: 2,
    host,
    port: port === "" ? (secure ? 465 : 587) : Number(port),
    secure,
    ...(username !== "" && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    socketTimeout: silenceTimeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = from.slice(from.indexOf("@") + 1);
  return {
    async send({ id, to, subject, text }) {
      // As objects, so that nothing in an address is read as a second one.
      const addresses = { from: { name: "Marketplace", address: from }, to: { name: "", address: to } };
      await transport.sendMail({ ...addresses, subject, text, messageId: `<${id}@${domain}>` });
    },
    async [Symbol.asyncDispose]() {
      transport.close();
    },
  };
}
