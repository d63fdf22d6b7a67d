import { splitter, type Protocol, type Splitter } from "./protocol.ts";

/**
 * The PostgreSQL protocol 3, without TLS. A request is a simple query, or everything up to a Sync; its answer is
 * everything up to ReadyForQuery. The start of a session is one exchange.
 *
 * Source: {@link https://www.postgresql.org/docs/current/protocol-message-formats.html | Message formats}.
 */
export const postgresProtocol: Protocol = { requests: requestSplitter, replies: replySplitter };

// StartupMessage carries the version of the protocol where the others carry a code of their own.
const isStartup = (code: number): boolean => code >>> 16 === 3;
const [query, sync, functionCall, readyForQuery] = Buffer.from("QSFZ");
const typedHeader = 5;
const startHeader = 8;

/** Reads one message after the other, whatever the chunks. */
function messageReader() {
  const header: number[] = [];
  let body = 0;
  return {
    /** Reads on, and returns the offset behind the message and its header when it is complete. */
    read(chunk: Buffer, from: number, headerBytes: number): { end: number; header: Buffer } | undefined {
      let at = from;
      while (header.length < headerBytes && at < chunk.length) {
        header.push(chunk[at++]!);
        if (header.length < headerBytes) continue;
        const lengthAt = headerBytes === typedHeader ? 1 : 0;
        body = Buffer.from(header).readUInt32BE(lengthAt) + lengthAt - headerBytes;
      }
      if (header.length < headerBytes) return undefined;
      const bytes = Math.min(body, chunk.length - at);
      body -= bytes;
      return body > 0 ? undefined : { end: at + bytes, header: Buffer.from(header.splice(0)) };
    },
  };
}

function requestSplitter(): Splitter {
  const reader = messageReader();
  let started = false;
  return splitter((chunk, from) => {
    for (let at = from; at < chunk.length;) {
      const message = reader.read(chunk, at, started ? typedHeader : startHeader);
      if (!message) return undefined;
      at = message.end;
      const [type] = message.header;
      if (started && (type === query || type === sync || type === functionCall)) return at;
      if (started) continue;
      started = isStartup(message.header.readUInt32BE(4));
      if (started) return at;
    }
    return undefined;
  });
}

function replySplitter(): Splitter {
  const reader = messageReader();
  let started = false;
  return splitter((chunk, from) => {
    for (let at = from; at < chunk.length;) {
      // A request for encryption is answered by one letter, and only there can a message begin with it.
      if (!started && "SNG".includes(String.fromCharCode(chunk[at]!))) {
        at += 1;
        continue;
      }
      started = true;
      const message = reader.read(chunk, at, typedHeader);
      if (!message) return undefined;
      at = message.end;
      if (message.header[0] === readyForQuery) return at;
    }
    return undefined;
  });
}
