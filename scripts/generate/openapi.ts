import { openApiDocument } from "../../src/routes/http/openapi.ts";
import { MESSAGES } from "../../src/routes/shapes/messages.ts";
import { loadRoutes } from "../../src/routes/app/areas.ts";

const routes = await loadRoutes();

/** Generates docs/openapi.json, the same document that the service serves. */
export function generateOpenApi(): string {
  const contracts = routes.map(({ contract }) => contract);
  const document = openApiDocument(contracts, MESSAGES);
  return `${JSON.stringify(document, null, 2)}\n`;
}
