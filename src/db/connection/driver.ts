import { neon, neonConfig } from "@neondatabase/serverless";
import { drizzle, type NeonHttpDatabase } from "drizzle-orm/neon-http";
import { STATEMENT_MS_MAX } from "./transaction.ts";

export interface DatabaseSettings {
  databaseUrl: string;
  /** Where the driver posts its batches; without it the driver's own rule (Neon's endpoint) holds. */
  fetchEndpoint?: string | undefined;
}

export interface Connections {
  /** For reads: several statements see one moment. */
  reader: NeonHttpDatabase;
  /** For writes: each row is seen as it is when its lock is got. */
  writer: NeonHttpDatabase;
  /** For a statement that is one transaction, and needs nobody to spell it. */
  query: (text: string, values: unknown[]) => Promise<unknown[]>;
}

/** Sets up the driver: the largest part of the Worker, and so loaded with the first query. */
export function connect({ databaseUrl, fetchEndpoint }: DatabaseSettings): Connections {
  if (fetchEndpoint !== undefined) neonConfig.fetchEndpoint = () => fetchEndpoint;
  neonConfig.fetchFunction = async (url: string, init: RequestInit) => {
    // Not AbortSignal.timeout: its timer runs on after the answer, and a Worker may have only so many at once.
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), STATEMENT_MS_MAX);
    try {
      const response = await fetch(url, { ...init, signal: abort.signal });
      // Read whole in here, where the driver knows a failure for one of the connection. Not into another Response:
      // of those that are made and read in a Worker the bodies stay, unseen by its garbage collector.
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
