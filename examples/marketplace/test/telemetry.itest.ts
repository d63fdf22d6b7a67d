import { expect, it } from "vitest";

import { startMarketplace } from "./support/marketplace.ts";
import { attributesOf, startOtlpReceiver } from "./support/otlp-receiver.ts";

it("a request is in the spans and metrics of an OTLP receiver, and in /metrics all the same", async () => {
  await using receiver = await startOtlpReceiver();
  let text: string;
  {
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/`, OTEL_EXPORTER_OTLP_TIMEOUT: "5000" };
    await using market = await startMarketplace({ environment });
    for (let count = 0; count < 3; count += 1) await market.get("/api/products?limit=1");
    text = await (await fetch(`${market.url}/metrics`)).text();
  }
  const labels = { method: "GET", route: "/api/products", status: "200" };
  expect(text).toContain('http_requests_total{method="GET",route="/api/products",status="200"} 3\n');
  expect(text).toContain('http_request_duration_seconds_count{method="GET",route="/api/products",status="200"} 3\n');
  expect(text).toMatch(/db_route_total\{target="primary",reason="no_replica"\} \d/);
  expect(text).toMatch(/db_host_role\{host="[\w.:-]+",role="primary"\} 1/);
  expect(text).toMatch(/process_cpu_seconds_total\{mode="user"\} \d/);
  expect(text).toMatch(/target_info\{.*service_name="marketplace"/);

  expect(receiver.resource()).toMatchObject({ "service.name": "marketplace" });
  for (const metric of ["http_requests", "http_request_duration_seconds"]) {
    expect(receiver.points(metric)).toContainEqual({ value: 3, attributes: labels });
  }
  const reads = receiver.points("db_route");
  expect(reads).toContainEqual({ value: expect.any(Number), attributes: { target: "primary", reason: "no_replica" } });
  const spans = receiver.spans().filter(({ name }) => name === "GET /api/products");
  expect(spans.map((span) => attributesOf(span)["http.response.status_code"])).toEqual([200, 200, 200]);
  // Nobody wants a span of each look at the metrics.
  expect(receiver.spans().map(({ name }) => name)).not.toContain("GET /metrics");
});
