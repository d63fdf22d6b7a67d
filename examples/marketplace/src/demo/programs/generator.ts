// The crowd of the demonstration, in a process of its own, so that it takes no time from the server that it measures.
import { once } from "node:events";

import { systemClock, systemRandom } from "@sluice/core";

import { sendCrowd } from "../crowd.ts";
import type { Load } from "../load.ts";
import { endWithParent } from "./parent.ts";

const progressEveryMs = 100;

const parent = endWithParent(() => Promise.resolve());
const [load] = (await once(process, "message")) as [Load];
let toldMs = 0;

function onAnswer(answered: number): void {
  const nowMs = systemClock.monotonic();
  if (nowMs - toldMs < progressEveryMs && answered < load.buyers.length) return;
  toldMs = nowMs;
  parent.tell({ answered });
}

parent.tell({ tally: await sendCrowd(load, { clock: systemClock, random: systemRandom, onAnswer }) });
