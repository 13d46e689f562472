import { openApiDocument } from "../../src/routes/http/openapi.ts";
import { loadRoutes } from "../../src/routes/app/areas.ts";

const routes = await loadRoutes();

/** Generates docs/openapi.json, the same document that the service serves. */
export function generateOpenApi(): string {
  const document = openApiDocument(routes.map(({ contract }) => contract));
  return `${JSON.stringify(document, null, 2)}\n`;
}
