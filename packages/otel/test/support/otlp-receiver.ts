import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

// One of these is set. 64-bit integers may be written as text.
interface OtlpAttribute {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string;
    readonly boolValue?: boolean;
    readonly intValue?: string | number;
    readonly doubleValue?: number;
  };
}

/** A span as it arrives. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly events?: readonly unknown[];
  readonly status: { readonly code: number; readonly message?: string };
}
interface OtlpPoint {
  readonly attributes: readonly OtlpAttribute[];
  readonly asInt?: string | number;
  readonly asDouble?: number;
  readonly count?: string | number;
  readonly sum?: number;
  readonly explicitBounds?: readonly number[];
}
interface OtlpPoints {
  readonly dataPoints: readonly OtlpPoint[];
  readonly isMonotonic?: boolean;
}

/** A metric as it arrives. */
export interface OtlpMetric {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly sum?: OtlpPoints;
  readonly gauge?: OtlpPoints;
  readonly histogram?: OtlpPoints;
}
interface OtlpScope {
  readonly scope: { readonly name: string };
  readonly spans?: readonly OtlpSpan[];
  readonly metrics?: readonly OtlpMetric[];
}
interface OtlpBody {
  readonly resourceSpans?: readonly { readonly scopeSpans: readonly OtlpScope[] }[];
  readonly resourceMetrics?: readonly { readonly scopeMetrics: readonly OtlpScope[] }[];
}

/** An OTLP receiver over HTTP on loopback. */
export interface OtlpReceiver extends AsyncDisposable {
  readonly url: string;
  readonly requests: number;
  readonly answers: number;
  /** While it holds, requests are read and not answered. */
  hold(): void;
  release(): void;
  /** The scope names that sent something. */
  scopes(): string[];
  spans(): OtlpSpan[];
  span(name: string): OtlpSpan;
  /** The last state of each metric. */
  metric(name: string): OtlpMetric | undefined;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const scopes: OtlpScope[] = [];
  const waiting: ServerResponse[] = [];
  const counts = { requests: 0, answers: 0 };
  let holding = false;
  const answer = (response: ServerResponse): void => {
    counts.answers += 1;
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  };
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    counts.requests += 1;
    const { resourceSpans = [], resourceMetrics = [] } = (await json(request)) as OtlpBody;
    scopes.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans));
    scopes.push(...resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics));
    if (holding) waiting.push(response);
    else answer(response);
  };
  const server = createServer((request, response) => void receive(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const spans = (): OtlpSpan[] => scopes.flatMap(({ spans: ofScope = [] }) => ofScope);
  const release = (): void => {
    holding = false;
    for (const response of waiting.splice(0)) answer(response);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    get requests() {
      return counts.requests;
    },
    get answers() {
      return counts.answers;
    },
    hold() {
      holding = true;
    },
    release,
    scopes: () => [...new Set(scopes.map(({ scope }) => scope.name))],
    spans,
    span(name) {
      const found = spans().find((span) => span.name === name);
      if (!found) throw new Error(`No span "${name}" has arrived`);
      return found;
    },
    metric: (name) => scopes.flatMap(({ metrics = [] }) => metrics).findLast((metric) => metric.name === name),
    async [Symbol.asyncDispose]() {
      release();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The data points of a metric, each with its attributes as a plain object. */
export function pointsOf({ sum, gauge, histogram }: Partial<OtlpMetric> = {}) {
  const points = [sum, gauge, histogram].flatMap((kind) => kind?.dataPoints ?? []);
  return points.map(({ attributes, asInt, asDouble, count, ...histogramPoint }) => ({
    ...histogramPoint,
    attributes: attributesOf({ attributes }),
    value: Number(asDouble ?? asInt ?? count),
  }));
}

/** The attributes of a span or a data point as a plain object. */
export function attributesOf(owner: { readonly attributes: readonly OtlpAttribute[] }): Record<string, unknown> {
  return Object.fromEntries(
    owner.attributes.map(({ key, value: { stringValue, boolValue, intValue, doubleValue } }) => [
      key,
      stringValue ?? boolValue ?? doubleValue ?? Number(intValue),
    ]),
  );
}
