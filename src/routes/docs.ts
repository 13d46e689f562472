import { Hono } from "hono";
import type { Contract } from "./http/contract.ts";
import { ERROR_CODES, PROBLEMS } from "./http/problem.ts";

/** The path of the API reference's script, built by scripts/build-assets.ts. It is on this host, never on a CDN. */
const READER_PATH = "/assets/api-reference.js";

/** Returns the public documentation routes. The OpenAPI document is created with the first request. */
export function docsRoutes(loadContracts: () => Promise<readonly Contract[]>): Hono {
  let document: string | undefined;
  const docs = new Hono();

  docs.get("/openapi.json", async () => {
    if (document === undefined) {
      const { openApiDocument } = await import("./http/openapi.ts");
      const { MESSAGES } = await import("./shapes/messages.ts");
      document = JSON.stringify(openApiDocument(await loadContracts(), MESSAGES));
    }
    return new Response(document, { headers: { "content-type": "application/json" } });
  });

  docs.get("/docs", async (context, next) => {
    const nonce = crypto.randomUUID();
    context.header("content-security-policy", documentPolicy(`script-src 'self' 'nonce-${nonce}'`));
    const { Scalar } = await import("@scalar/hono-api-reference");
    const page = Scalar({
      pageTitle: "Stepledger API",
      url: "/openapi.json",
      cdn: READER_PATH,
      nonce,
      telemetry: false,
      withDefaultFonts: false,
      hideClientButton: true,
      showDeveloperTools: "never",
      agent: { disabled: true },
      mcp: { disabled: true },
    });
    return page(context, next);
  });

  docs.get("/docs/errors", (context) => {
    context.header("content-security-policy", documentPolicy("script-src 'none'"));
    return context.html(errorsPage());
  });

  return docs;
}

/** Returns the content security policy of a page. Inline styles are allowed because the API reference uses them. */
function documentPolicy(scripts: string): string {
  return [
    "default-src 'none'",
    scripts,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** Returns the page that the `type` of every problem refers to. */
function errorsPage(): string {
  const entries = ERROR_CODES.map((code) => {
    const { status, title, detail, retry } = PROBLEMS[code];
    return `<h2 id="${code}">${code}</h2><p>${status}, ${title}. ${inHtml(detail)} Retry: ${retry}.</p>`;
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Stepledger errors</title>
<h1>Errors</h1>${entries.join("\n")}</html>`;
}

/** Converts a sentence of the catalog to HTML. Its only markup is code in backticks. */
function inHtml(sentence: string): string {
  return sentence.replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}
