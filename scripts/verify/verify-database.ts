import { Client, DatabaseError } from "pg";
import { INVARIANTS } from "../../src/db/invariants/index.ts";
import { verifyChains, type ChainReport } from "./chains.ts";

export interface InvariantReport {
  name: string;
  description: string;
  /** How many rows broke it. */
  rows: number;
  /** The first few of them. */
  examples: Record<string, unknown>[];
}

export interface Verification {
  invariants: InvariantReport[];
  chains: ChainReport;
  isWhole: boolean;
}

const EXAMPLES_MAX = 5;

/**
 * Runs every invariant and follows every hash chain, as the owner and in one snapshot: also while the service works,
 * what is found was true at one instant.
 */
export async function verifyDatabase(ownerUrl: string): Promise<Verification> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query("begin isolation level repeatable read read only");
    const invariants: InvariantReport[] = [];
    for (const { name, description, sql } of INVARIANTS) {
      const rows = await rowsThatBreak(client, sql);
      invariants.push({
        name,
        description,
        rows: rows.length,
        examples: rows.slice(0, EXAMPLES_MAX),
      });
    }
    const chains = await verifyChains(client);
    await client.query("commit");
    const isWhole = chains.broken.length === 0 && invariants.every(({ rows }) => rows === 0);
    return { invariants, chains, isWhole };
  } finally {
    await client.end();
  }
}

/** What an invariant finds. Rows that it cannot read, as after a payload was changed, break it too. */
async function rowsThatBreak(
  client: Client,
  invariant: string,
): Promise<Record<string, unknown>[]> {
  await client.query("savepoint invariant");
  try {
    const { rows } = await client.query<Record<string, unknown>>(invariant);
    return rows;
  } catch (error) {
    if (!isAboutData(error)) throw error;
    await client.query("rollback to savepoint invariant");
    return [{ unreadable: error.message }];
  }
}

/** Class 22 of the SQLSTATEs: a value is not what it is read as. */
const isAboutData = (error: unknown): error is DatabaseError =>
  error instanceof DatabaseError && error.code?.startsWith("22") === true;

/** The verification as lines for a terminal. */
export function renderVerification({ invariants, chains, isWhole }: Verification): string {
  const lines = invariants.map(({ name, rows, examples }) =>
    [
      `${rows === 0 ? "ok    " : "BROKEN"}  ${String(rows).padStart(6)}  ${name}`,
      ...examples.map((example) => `                  ${JSON.stringify(example)}`),
    ].join("\n"),
  );
  const { broken } = chains;
  lines.push(
    `${broken.length === 0 ? "ok    " : "BROKEN"}  ${String(broken.length).padStart(6)}  hash chains (${chains.chains} chains, ${chains.events} events)`,
    ...broken.slice(0, EXAMPLES_MAX).map((chain) => `                  ${JSON.stringify(chain)}`),
    "",
    isWhole ? "Every invariant holds and every hash chain is whole." : "The history is not whole.",
  );
  return lines.join("\n");
}
