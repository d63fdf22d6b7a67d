export { connectRedis, type Address, type ConnectOptions } from "./connect.ts";
export { fromIoredis, type IoredisClient } from "./ioredis-driver.ts";
