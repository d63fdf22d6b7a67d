import type { Command } from "../command.ts";
import { cacheCommands } from "./cache.ts";
import { inventoryCommands } from "./inventory.ts";
import { rateLimitCommands } from "./rate-limit.ts";

/** Everything that the program does, in the order of its help. */
export const commands: readonly Command[] = [...rateLimitCommands, ...cacheCommands, ...inventoryCommands];
