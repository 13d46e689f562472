import { Hono } from "hono";
import type { Contract } from "./http/contract.ts";
import { ERROR_CODES, PROBLEMS } from "./http/problem.ts";

/** Where scripts/build-assets.ts puts the reader of the API reference: our own host, never a CDN. */
const READER_PATH = "/assets/api-reference.js";

/** Pages for people, which need no credential; the OpenAPI document is made when first asked for. */
export function docsRoutes(loadContracts: () => Promise<readonly Contract[]>): Hono {
  let document: string | undefined;
  const docs = new Hono();

  docs.get("/openapi.json", async () => {
    if (document === undefined) {
      const { openApiDocument } = await import("./http/openapi.ts");
      document = JSON.stringify(openApiDocument(await loadContracts()));
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

/** The reader writes its styles into the page; everything else comes from this host. */
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

/** Where the `type` of every problem leads. */
function errorsPage(): string {
  const entries = ERROR_CODES.map((code) => {
    const { status, title, detail, retry } = PROBLEMS[code];
    return `<h2 id="${code}">${code}</h2><p>${status}, ${title}. ${inHtml(detail)} Retry: ${retry}.</p>`;
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Stepledger errors</title>
<h1>Errors</h1>${entries.join("\n")}</html>`;
}

/** Sentences of the catalogue: plain text, but for code in backticks. */
function inHtml(sentence: string): string {
  return sentence.replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}
