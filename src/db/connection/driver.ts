import { neon, neonConfig } from "@neondatabase/serverless";
import { drizzle, type NeonHttpDatabase } from "drizzle-orm/neon-http";
import { STATEMENT_MS_MAX } from "./transaction.ts";

export interface DatabaseSettings {
  databaseUrl: string;
  /** Where the driver posts its batches. Without it, the driver derives Neon's endpoint from the URL. */
  fetchEndpoint?: string | undefined;
}

export interface Connections {
  /** For reads. Repeatable read: several statements see one snapshot. */
  reader: NeonHttpDatabase;
  /** For writes. Read committed: a statement sees each row as it is when it gets the row's lock. */
  writer: NeonHttpDatabase;
  /** For prepared statements: plain text and values, one transaction, no batch. */
  query: (text: string, values: unknown[]) => Promise<unknown[]>;
}

/** Sets up the driver. It is the largest part of the Worker, so it is loaded with the first query. */
export function connect({ databaseUrl, fetchEndpoint }: DatabaseSettings): Connections {
  if (fetchEndpoint !== undefined) neonConfig.fetchEndpoint = () => fetchEndpoint;
  neonConfig.fetchFunction = async (url: string, init: RequestInit) => {
    // Not AbortSignal.timeout: its timer keeps running after the response, and a Worker has a limited number of timers.
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), STATEMENT_MS_MAX);
    try {
      const response = await fetch(url, { ...init, signal: abort.signal });
      // Read the body here, where the driver treats a failure as a connection error. Do not wrap it in a new Response:
      // a Worker's garbage collector does not see the bodies of Responses that were created and read in it.
      const text = await response.text();
      const { ok, status } = response;
      return { ok, status, text: async () => text, json: async () => JSON.parse(text) as unknown };
    } finally {
      clearTimeout(timer);
    }
  };
  const plain = neon(databaseUrl);
  return {
    reader: open(databaseUrl, { isolationLevel: "RepeatableRead", readOnly: true }),
    writer: open(databaseUrl, { isolationLevel: "ReadCommitted" }),
    query: async (text, values) => plain.query(text, values),
  };
}

function open(
  databaseUrl: string,
  options: { isolationLevel: "RepeatableRead" | "ReadCommitted"; readOnly?: boolean },
): NeonHttpDatabase {
  return drizzle({ client: neon(databaseUrl, options), casing: "snake_case" });
}
