import { sleep, systemClock } from "@sluice/core";
import pg from "pg";

/** What is listened for. */
export interface Notices {
  readonly channel: string;
  readonly onNotice: (payload: string) => void;
  /** Called whenever listening begins: before it, notices may have been missed. */
  readonly onStart: () => void;
}

/** Listens until it is closed. */
export interface PrimaryListener {
  /** Waits for nobody: a server that has frozen would not say goodbye. */
  close(): Promise<void>;
}

const retryMs = 1000;
const connectTimeoutMs = 1500;

/**
 * Listens on whichever of the servers is the primary, because only there it is allowed, on a connection of its own. When
 * that is lost it tries them all again once a second. Notices are hints: whoever uses them also looks by himself.
 */
export function listenToPrimary(urls: readonly string[], notices: Notices): PrimaryListener {
  const closing = new AbortController();

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      for (const url of urls) await listenOnce(url, notices, closing.signal).catch(() => undefined);
      await sleep(systemClock, retryMs, closing.signal).catch(() => undefined);
    }
  }

  void run();
  return { close: async () => closing.abort() };
}

/** Resolves when the connection has ended. */
async function listenOnce(url: string, { channel, onNotice, onStart }: Notices, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const client = new pg.Client({
    connectionString: url,
    application_name: "marketplace jobs",
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
  });
  const ended = new Promise<void>((resolve) => client.once("end", resolve));
  client.on("error", () => undefined);
  client.on("notification", ({ payload = "" }) => onNotice(payload));
  const end = (): void => void client.end().catch(() => undefined);
  signal.addEventListener("abort", end, { once: true });
  try {
    await client.connect();
    await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    onStart();
    await ended;
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}
