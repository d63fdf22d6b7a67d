import type { Origin } from "@sluice/testing/services";
import { describe, expect, it } from "vitest";

import type { ServerDescription } from "../src/services/describe-server.ts";
import { startService, type ServicePlan, type StepOutcome } from "../src/services/steps.ts";
import { setEnvironment } from "./private-folder.ts";

const url = "redis://ann:p%40ss@127.0.0.1:1";

function planned(outcomes: Partial<Record<Origin, "starts" | "throws">>, description?: ServerDescription | Error) {
  const events: string[] = [];
  const step = (origin: Origin) => async (): Promise<StepOutcome> => {
    events.push(origin);
    if (outcomes[origin] === "throws") throw new Error(`${origin} is broken`);
    if (outcomes[origin] !== "starts") return { missing: "not there" };
    return { url, stop: async () => void events.push(`stop ${origin}`) };
  };
  const plan: ServicePlan = {
    name: "redis",
    steps: { url: step("url"), docker: step("docker"), local: step("local"), npm: step("npm") },
    describe: async () => {
      if (description instanceof Error) throw description;
      return description ?? { version: "7.0.15", durable: false };
    },
  };
  setEnvironment({ SLUICE_SERVICES: undefined });
  return { plan, events };
}

describe("the steps to a service", () => {
  it("are taken in their order until one serves", async () => {
    const { plan, events } = planned({ docker: "throws", local: "starts", npm: "starts" });
    const service = await startService(plan, {});
    expect(events).toEqual(["url", "docker", "local"]);
    expect(service).toMatchObject({ origin: "local", version: "7.0.15", real: true });
    expect(service.passed).toEqual(["url: not there", "docker: docker is broken"]);
    await Promise.all([service.stop(), service[Symbol.asyncDispose]()]);
    expect(events.slice(3)).toEqual(["stop local"]);
  });

  it("are one alone when the caller or the environment says so", async () => {
    const { plan, events } = planned({ url: "starts", npm: "starts" });
    setEnvironment({ SLUICE_SERVICES: "npm" });
    expect((await startService(plan, {})).origin).toBe("npm");
    expect((await startService(plan, { origin: "url" })).origin).toBe("url");
    expect(events).toEqual(["npm", "url"]);
  });

  it("end with every reason when none serves", async () => {
    const { plan } = planned({});
    const reasons = ["url", "docker", "local", "npm"].map((origin) => `  ${origin}: not there`);
    await expect(startService(plan, {})).rejects.toThrow(`No redis to test with.\n${reasons.join("\n")}`);
  });

  it("stop what may lose data where it must not, and go on", async () => {
    const { plan, events } = planned({ url: "starts", local: "starts" });
    await expect(startService(plan, { durable: true })).rejects.toThrow("the server may lose");
    expect(events).toEqual(["url", "stop url", "docker", "local", "stop local", "npm"]);
  });

  it("stop at a given server that cannot be used, without its password", async () => {
    const { plan, events } = planned({ url: "starts", npm: "starts" }, new Error(`refused ${url} and p%40ss and p@ss`));
    const failure = startService(plan, {});
    await expect(failure).rejects.toThrow("url: the server cannot be used: refused … and … and …");
    expect(events).toEqual(["url", "stop url"]);
  });
});
