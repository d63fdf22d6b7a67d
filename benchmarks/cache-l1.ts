// Copies in the process: a prebuilt entry that is peeked at, against lru-cache plus a look at the clock; and awaited
// gets against those of the peers.
import { createCache, pathKey } from "@sluice/cache";
import { LRUCache } from "lru-cache";

import { bentoInMemory, manager } from "./support/cache-peers.ts";
import { documentOf, type Document } from "./support/document.ts";
import { interleaved, type Call } from "./support/interleaved.ts";

const quick = process.argv.includes("--quick");
const extent = { inFlight: 1, rounds: quick ? 21 : 61, roundMs: quick ? 40 : 100 };
const keys = 1000;
// A single call takes tens of nanoseconds, less than looking at the clock between two of them.
const peeksAtOnce = 10_000;
const getsAtOnce = 200;

await using cache = createCache({ l1: { maxAge: "1h", maxLag: "1h" } });
await cache.ready();
const scope = cache.scope<number, Document>("documents", {
  prefix: "documents",
  key: pathKey<number>(),
  ttl: "1h",
  jitter: 0,
  load: documentOf,
});
const entries = Array.from({ length: keys }, (_, id) => scope.entry(id));
for (const entry of entries) await entry.get();
const names = entries.map(({ key }) => key);
const lru = new LRUCache<string, Document>({ max: 10_000 });
for (const [id, name] of names.entries()) lru.set(name, documentOf(id));
const peers = { bentocache: bentoInMemory(10_000), "cache-manager": manager() };
const nothing = (): Promise<never> => Promise.reject(new Error("Everything is stored."));
for (const peer of Object.values(peers)) for (const [id, name] of names.entries()) await peer.set(name, documentOf(id));

// Whatever is read is used, so that no reading can be left out.
let sum = 0;
const peeks: Call = async () => {
  for (let index = 0; index < peeksAtOnce; index += 1) sum += entries[index % keys]?.peek()?.price ?? Number.NaN;
};
const limit: Call = async () => {
  for (let index = 0; index < peeksAtOnce; index += 1) {
    const value = lru.get(names[index % keys] ?? "");
    if (performance.now() > 0) sum += value?.price ?? Number.NaN;
  }
};
const gets: Call = async () => {
  for (let index = 0; index < getsAtOnce; index += 1) sum += (await entries[index % keys]?.get())?.price ?? Number.NaN;
};
const getsOf =
  (peer: (typeof peers)[keyof typeof peers]): Call =>
  async () => {
    for (let index = 0; index < getsAtOnce; index += 1) {
      sum += ((await peer.get(names[index % keys] ?? "", nothing)) as Document).price;
    }
  };

const peeked = await interleaved({ ours: peeks, limit }, extent);
const got = await interleaved(
  { ours: gets, bentocache: getsOf(peers.bentocache), "cache-manager": getsOf(peers["cache-manager"]) },
  extent,
);
if (Number.isNaN(sum)) throw new Error("Something was not there.");
const perSecond = (rate: number | undefined, atOnce: number): number => Math.round((rate ?? 0) * atOnce);
if (quick) console.log(`quick: ${extent.rounds} rounds of ${extent.roundMs} ms each`);
console.log(
  JSON.stringify({
    bench: "cache-l1",
    ours: { peek: perSecond(peeked.perSecond["ours"], peeksAtOnce), get: perSecond(got.perSecond["ours"], getsAtOnce) },
    limit: { peek: perSecond(peeked.perSecond["limit"], peeksAtOnce) },
    peers: {
      bentocache: perSecond(got.perSecond["bentocache"], getsAtOnce),
      "cache-manager": perSecond(got.perSecond["cache-manager"], getsAtOnce),
    },
    ratios: { ...peeked.ratios, ...got.ratios },
  }),
);
for (const peer of Object.values(peers)) await peer.close();
