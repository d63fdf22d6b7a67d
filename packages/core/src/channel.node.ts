import { channel as nodeChannel } from "node:diagnostics_channel";

import type { Channel } from "./channel.ts";

/** The channel of that name in this process, shared with everybody who uses `node:diagnostics_channel`. */
export function channel(name: string): Channel {
  return nodeChannel(name);
}
