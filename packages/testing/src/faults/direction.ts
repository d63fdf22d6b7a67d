/** A way through a proxy: `requests` go from client to server, `replies` from server to client. */
export type Direction = "requests" | "replies";

/** Both ways in a fixed order. */
export const directions: readonly Direction[] = ["requests", "replies"];
