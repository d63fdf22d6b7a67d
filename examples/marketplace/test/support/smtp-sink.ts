import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** A mail as a server takes it. */
export interface TakenMail {
  readonly to: string;
  /** Headers, an empty line, and text. */
  readonly data: string;
}

/** A mail server on loopback that keeps what it takes. */
export interface SmtpSink extends AsyncDisposable {
  readonly url: string;
  readonly mails: readonly TakenMail[];
  /** From now on every recipient is refused for the moment, or none. */
  refuse(refuses: boolean): void;
}

/** Speaks as much of RFC 5321 as a client needs to hand a mail over. */
export async function startSmtpSink(): Promise<SmtpSink> {
  const mails: TakenMail[] = [];
  const sockets = new Set<Socket>();
  let refuses = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A client that is killed resets its connection.
    socket.on("error", () => socket.destroy());
    void talk(socket, { refuses: () => refuses, take: (mail) => void mails.push(mail) });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails,
    refuse: (whether) => void (refuses = whether),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

interface Sink {
  readonly refuses: () => boolean;
  readonly take: (mail: TakenMail) => void;
}

async function talk(socket: Socket, { refuses, take }: Sink): Promise<void> {
  const say = (line: string): void => void socket.write(`${line}\r\n`);
  let to = "";
  let data: string[] | undefined;
  say("220 sink");
  for await (const line of createInterface({ input: socket })) {
    if (data !== undefined && line !== ".") data.push(line);
    else if (data !== undefined) {
      take({ to, data: data.join("\n") });
      data = undefined;
      say("250 taken");
    } else if (/^RCPT/i.test(line)) {
      to = /<(.*)>/.exec(line)?.[1] ?? "";
      say(refuses() ? "451 later" : "250 ok");
    } else if (/^DATA/i.test(line)) {
      data = [];
      say("354 go on");
    } else {
      say(/^QUIT/i.test(line) ? "221 bye" : "250 ok");
    }
  }
}
