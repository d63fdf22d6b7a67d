import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { jsonSchemaTransform } from "fastify-type-provider-zod";

import type { Server } from "./server.ts";

/** OpenAPI 3.1 at `/openapi.json`, and a page over it at `/docs` whose assets are served from here. */
export async function documentation(server: Server, routes: () => Promise<void>): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Sluice marketplace",
        version: "1.0.0",
        description: "Every route under /api is also served under /api/v1.",
      },
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } } },
    },
    transform: jsonSchemaTransform,
  });
  await routes();
  server.get("/openapi.json", { schema: { hide: true } }, async () => server.swagger());
  await server.register(swaggerUi, { routePrefix: "/docs", staticCSP: pagePolicy, uiConfig: { validatorUrl: null } });
}

// The page loads nothing from anywhere else.
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'self'",
  "frame-ancestors 'none'",
].join("; ");
