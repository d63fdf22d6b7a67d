export { connectRedis, type Address, type AddressOptions, type ConnectOptions } from "./connect.ts";
export { fromIoredis, type IoredisClient } from "./ioredis-driver.ts";
