import { openApiDocument } from "../../src/routes/http/openapi.ts";
import { loadRoutes } from "../../src/routes/app/areas.ts";

const routes = await loadRoutes();

/** docs/openapi.json: the document that the service itself serves. */
export function generateOpenApi(): string {
  const document = openApiDocument(routes.map(({ contract }) => contract));
  return `${JSON.stringify(document, null, 2)}\n`;
}
