// The marketplace of the demonstration: all roles in a process of its own, as its environment configures it, on a free
// port of this machine.
import { createApp } from "../../app.ts";
import { readConfig } from "../../config/read-config.ts";
import { endWithParent } from "./parent.ts";

const result = readConfig(process.env);
if (!result.ok) throw new Error(result.problems.join("; "));
const { config } = result;
if (config.database.url === undefined) throw new Error("DATABASE_URL must be set");
const app = await createApp(config, { role: "all", databaseUrls: [config.database.url] });
const parent = endWithParent(() => app.close(config.shutdown.timeoutMs));
parent.tell({ url: await app.server.listen({ host: "127.0.0.1", port: 0 }) });
