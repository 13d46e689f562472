import { Client, DatabaseError } from "pg";
import { INVARIANTS } from "../../src/db/invariants/index.ts";
import { verifyChains, type ChainReport } from "./chains.ts";
import { type LabelReport, verifyLabels } from "./labels.ts";

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
  labels: LabelReport;
  chains: ChainReport;
  isWhole: boolean;
}

const EXAMPLES_MAX = 5;

/**
 * Runs every invariant, resolves every label and follows every hash chain, as the owner and in one snapshot: also while the service works,
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
    const labels = await verifyLabels(client);
    const chains = await verifyChains(client);
    await client.query("commit");
    const isWhole =
      chains.broken.length === 0 &&
      labels.drifted.length === 0 &&
      invariants.every(({ rows }) => rows === 0);
    return { invariants, labels, chains, isWhole };
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
export function renderVerification({ invariants, labels, chains, isWhole }: Verification): string {
  const { drifted } = labels;
  const { broken } = chains;
  return [
    ...invariants.flatMap(({ name, rows, examples }) => lines(name, rows, examples)),
    ...lines(
      `labels resolved anew (${labels.tasks} tasks)`,
      drifted.reduce((sum, { tasks }) => sum + tasks, 0),
      drifted,
    ),
    ...lines(
      `hash chains (${chains.chains} chains, ${chains.events} events)`,
      broken.length,
      broken,
    ),
    "",
    isWhole ? "Every invariant holds and every hash chain is whole." : "The history is not whole.",
  ].join("\n");
}

/** What was looked at, how much of it is broken, and the first few examples. */
function lines(name: string, count: number, examples: readonly object[]): string[] {
  return [
    `${count === 0 ? "ok    " : "BROKEN"}  ${String(count).padStart(6)}  ${name}`,
    ...examples
      .slice(0, EXAMPLES_MAX)
      .map((example) => `                  ${JSON.stringify(example)}`),
  ];
}
