import { performance } from "node:perf_hooks";

import type { Meter } from "@opentelemetry/api";

/** Shows what this process takes of its machine. Everything is read when the metrics are. */
export function watchProcess(meter: Meter): void {
  meter
    .createObservableCounter("process_cpu_seconds", { description: "Processor time used, in user and system mode" })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe(user / 1e6, { mode: "user" });
      result.observe(system / 1e6, { mode: "system" });
    });
  meter
    .createObservableCounter("nodejs_eventloop_seconds", { description: "Time that the event loop worked, and waited" })
    .addCallback((result) => {
      const { active, idle } = performance.eventLoopUtilization();
      result.observe(active / 1000, { state: "active" });
      result.observe(idle / 1000, { state: "idle" });
    });
  meter.createObservableGauge("process_memory_bytes", { description: "Memory by kind" }).addCallback((result) => {
    for (const [kind, bytes] of Object.entries(process.memoryUsage())) result.observe(bytes, { kind });
  });
  meter
    .createObservableGauge("process_start_time_seconds", { description: "When the process started, since the epoch" })
    .addCallback((result) => result.observe(performance.timeOrigin / 1000));
}
