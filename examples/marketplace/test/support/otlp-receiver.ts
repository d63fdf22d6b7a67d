import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string | number; readonly doubleValue?: number };
}
interface WithAttributes {
  readonly attributes: readonly Attribute[];
}

/** A span as it arrives. */
export interface OtlpSpan extends WithAttributes {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code?: number };
}
interface OtlpMetric {
  readonly name: string;
  readonly sum?: { readonly dataPoints: readonly OtlpPoint[] };
  readonly histogram?: { readonly dataPoints: readonly OtlpPoint[] };
}
interface OtlpPoint extends WithAttributes {
  readonly asInt?: string | number;
  readonly asDouble?: number;
  readonly count?: string | number;
}
interface Group {
  readonly resource: WithAttributes;
  readonly scopeSpans?: readonly { readonly spans: readonly OtlpSpan[] }[];
  readonly scopeMetrics?: readonly { readonly metrics: readonly OtlpMetric[] }[];
}

/** An OTLP/HTTP receiver on loopback. */
export interface OtlpReceiver extends AsyncDisposable {
  readonly url: string;
  /** Of every request so far. */
  readonly headers: readonly IncomingHttpHeaders[];
  /** From now on, requests are read and never answered. */
  hold(): void;
  spans(): OtlpSpan[];
  /** The last state of a metric: its points, by their attributes. */
  points(metric: string): { readonly value: number; readonly attributes: Record<string, unknown> }[];
  /** What everything came from. */
  resource(): Record<string, unknown>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const groups: Group[] = [];
  const headers: IncomingHttpHeaders[] = [];
  let holding = false;
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    headers.push(request.headers);
    const body = (await json(request)) as { resourceSpans?: Group[]; resourceMetrics?: Group[] };
    groups.push(...(body.resourceSpans ?? []), ...(body.resourceMetrics ?? []));
    if (!holding) response.writeHead(200, { "content-type": "application/json" }).end("{}");
  }
  const server = createServer((request, response) => void receive(request, response).catch(() => response.destroy()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const metrics = () => groups.flatMap(({ scopeMetrics = [] }) => scopeMetrics.flatMap((scope) => scope.metrics));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    headers,
    hold: () => void (holding = true),
    spans: () => groups.flatMap(({ scopeSpans = [] }) => scopeSpans.flatMap(({ spans }) => spans)),
    points(name) {
      const found = metrics().findLast((metric) => metric.name === name);
      const points = found?.sum?.dataPoints ?? found?.histogram?.dataPoints ?? [];
      return points.map((point) => ({
        value: Number(point.asInt ?? point.asDouble ?? point.count),
        attributes: attributesOf(point),
      }));
    },
    resource: () => attributesOf(groups[0]?.resource ?? { attributes: [] }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Attributes as a plain object. */
export function attributesOf({ attributes }: WithAttributes): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.doubleValue ?? (value.intValue === undefined ? undefined : Number(value.intValue)),
    ]),
  );
}
