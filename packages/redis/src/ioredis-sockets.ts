/** The part of an ioredis `Redis` or `Cluster` that {@link outliveSockets} uses. */
export interface SocketOwner {
  /** The socket, once there is one. A Cluster has one per node. */
  readonly stream?: { on(event: "error", listener: () => void): unknown } | null;
  on(event: string, listener: (fact?: Error) => void): unknown;
}

/**
 * Keeps the errors of sockets from ending the process. ioredis listens for one error of each, and a socket can report
 * two: that it refuses the server's certificate, and then what the server says to that.
 */
export function outliveSockets(client: SocketOwner): void {
  const listen = (): void => void client.stream?.on("error", () => {});
  client.on("connect", listen);
  client.on("error", listen);
  client.on("+node", (node) => outliveSockets(node as unknown as SocketOwner));
}
