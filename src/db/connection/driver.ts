import { neon, neonConfig, types } from "@neondatabase/serverless";
import type { Query, SQL } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { STATEMENT_MS_MAX } from "./transaction.ts";

export interface DatabaseSettings {
  databaseUrl: string;
  /** Where the driver posts its batches. Without it, the driver derives Neon's endpoint from the URL. */
  fetchEndpoint?: string | undefined;
}

/** Sends statements as one transaction, and returns the rows of each. */
export type SendBatch = (queries: readonly Query[]) => Promise<unknown[][]>;

export interface Connections {
  /** Turns a statement into its text and the values of its parameters. */
  render: (statement: SQL) => Query;
  /** For reads. Repeatable read: several statements see one snapshot. */
  read: SendBatch;
  /** For writes. Read committed: a statement sees each row as it is when it gets the row's lock. */
  write: SendBatch;
  /** Sends one statement, such as the call of a prepared one: one transaction, no batch. */
  query: (query: Query) => Promise<unknown[]>;
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
  for (const type of KEPT_AS_TEXT) types.setTypeParser(type, (text: string) => text);
  const dialect = new PgDialect({ casing: "snake_case" });
  const plain = neon(databaseUrl);
  return {
    render: (statement) => dialect.sqlToQuery(statement),
    read: batches(databaseUrl, { isolationLevel: "RepeatableRead", readOnly: true }),
    write: batches(databaseUrl, { isolationLevel: "ReadCommitted" }),
    query: async ({ sql, params }) => plain.query(sql, params),
  };
}

/** Dates, times and intervals, and their arrays: a JavaScript Date would lose their microseconds. */
const KEPT_AS_TEXT = [1082, 1114, 1184, 1186, 1115, 1182, 1185, 1187];

function batches(
  databaseUrl: string,
  options: { isolationLevel: "RepeatableRead" | "ReadCommitted"; readOnly?: boolean },
): SendBatch {
  const client = neon(databaseUrl, options);
  return async (queries) =>
    client.transaction(queries.map(({ sql, params }) => client.query(sql, params)));
}
