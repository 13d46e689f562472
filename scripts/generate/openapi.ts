import { openApiDocument } from "../../src/routes/http/openapi.ts";
import { routes } from "../../src/routes/index.ts";

/** docs/openapi.json: the document that the service itself serves. */
export function generateOpenApi(): string {
  const document = openApiDocument(routes.map(({ contract }) => contract));
  return `${JSON.stringify(document, null, 2)}\n`;
}
