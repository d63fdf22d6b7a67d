import type { AdapterOptions, GuardContext, HttpGuard, HttpHandler } from "@sluice/http";

declare module "@sluice/http" {
  interface GuardContext {
    /** What the contract's guards tell its handlers. */
    readonly first: string;
    readonly second: string;
  }
}

/** What the contract runs on. */
export const frameworkNames = ["express", "fastify", "hono", "hono (fetch)"] as const;
export type FrameworkName = (typeof frameworkNames)[number];

/** What has been answered. Only a driver looks inside. */
export type Answer = { readonly answer: unknown };

/** A request and its reply, in the framework's own terms behind one face. */
export interface Native {
  /** `req.sluice`, `request.sluice`, `c.get("sluice")`. */
  readonly context: Readonly<Partial<GuardContext>>;
  /** The path of the request, as the framework tells it. */
  readonly path: string;
  /** The body as the framework's own parser gives it. */
  readonly body: () => Promise<unknown>;
  /** Sets headers of a reply that is still to come. */
  setHeaders(headers: NativeHeaders): void;
  /** A whole reply. An object goes through the framework's own JSON. */
  readonly reply: (status: number, body?: string | Uint8Array | object, headers?: NativeHeaders) => Answer;
  /** A reply piece by piece. */
  readonly stream: (pieces: AsyncIterable<Uint8Array>, headers?: NativeHeaders) => Answer;
}

export type NativeHeaders = Readonly<Record<string, string | string[]>>;
export type NativeHandler = (native: Native) => Answer | Promise<Answer>;

/** A route that the framework's handler or a neutral one answers. */
export interface Route {
  readonly method: string;
  /** In the syntax that all three share: `/orders/:id`. */
  readonly path: string;
  readonly guards?: readonly HttpGuard[];
  readonly native?: NativeHandler;
  readonly neutral?: HttpHandler;
}

/** An application, described once and built on each framework. */
export interface App {
  /** On every request, also of unknown routes: those of the stage `address` before authentication, the others after. */
  readonly guards?: readonly HttpGuard[];
  readonly routes?: readonly Route[];
  /** What the adapter is told, by the names that all three use. */
  readonly options?: AdapterOptions;
  readonly http2?: boolean;
  /** Leaves the framework's own error replies in place. */
  readonly nativeErrors?: boolean;
}

/** Who sends this in `authorization` is authenticated as the rest of it; without one, as nobody. */
export const scheme = "Test ";

/** An application that listens on a port of its own. */
export interface Server {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** One of the three frameworks under its adapter. */
export interface Framework {
  readonly name: FrameworkName;
  readonly listen: (app: App) => Promise<Server>;
}
