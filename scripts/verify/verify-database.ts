import { Client, DatabaseError } from "pg";
import { compareCatalogs, type CatalogDifference } from "../catalog/compare.ts";
import { readCatalog, readServerVersion } from "../catalog/read.ts";
import { readSnapshot } from "../catalog/snapshot.ts";
import { type Invariant, INVARIANTS } from "../../src/db/invariants/index.ts";
import { verifyChains, type ChainReport } from "./chains.ts";
import { type ContentReport, verifyContents } from "./contents.ts";
import { type LabelReport, verifyLabels } from "./labels.ts";
import { type ReferenceReport, verifyReferences } from "./references.ts";

export interface InvariantReport {
  name: string;
  description: string;
  /** The number of rows that break it. */
  rows: number;
  /** The first few of those rows. */
  examples: Record<string, unknown>[];
}

/** How the objects of the database differ from those that this release creates. */
export interface CatalogReport {
  objects: number;
  differences: CatalogDifference[];
}

export interface Verification {
  catalog: CatalogReport;
  invariants: InvariantReport[];
  references: ReferenceReport;
  labels: LabelReport;
  chains: ChainReport;
  contents: ContentReport;
  isWhole: boolean;
}

const EXAMPLES_MAX = 5;

/**
 * Checks the catalog, every invariant, reference, label, hash chain and content, as the owner. All reads use one
 * snapshot, so the result is consistent even while the service is writing.
 */
export async function verifyDatabase(ownerUrl: string): Promise<Verification> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query("begin isolation level repeatable read read only");
    const verification = await verifySnapshot(client);
    await client.query("commit");
    return verification;
  } finally {
    await client.end();
  }
}

/** Runs every check in the caller's transaction. */
export async function verifySnapshot(client: Client): Promise<Verification> {
  const catalog = await verifyCatalog(client);
  const invariants: InvariantReport[] = [];
  for (const invariant of INVARIANTS) {
    const rows = await brokenRows(client, invariant);
    invariants.push({
      name: invariant.name,
      description: invariant.description,
      rows: rows.length,
      examples: rows.slice(0, EXAMPLES_MAX),
    });
  }
  const references = await verifyReferences(client);
  const labels = await verifyLabels(client);
  const chains = await verifyChains(client);
  const contents = await verifyContents(client);
  const isWhole =
    catalog.differences.length === 0 &&
    invariants.every(({ rows }) => rows === 0) &&
    references.broken.length === 0 &&
    labels.drifted.length === 0 &&
    chains.broken.length === 0 &&
    contents.forged.length === 0;
  return { catalog, invariants, references, labels, chains, contents, isWhole };
}

/** Compares the objects of the database with those that this release creates. Reads in the caller's transaction. */
export async function verifyCatalog(client: Client): Promise<CatalogReport> {
  const version = await readServerVersion(client);
  const expected = await readSnapshot(version);
  const found = await readCatalog(client);
  const unknown = {
    object: `PostgreSQL ${version}`,
    problem: "is not supported: drizzle/catalog.json does not say what this release creates on it",
  };
  return {
    objects: found.size,
    differences: expected === null ? [unknown] : compareCatalogs(expected, found),
  };
}

/**
 * Returns the rows that break an invariant. Rows that it cannot read, such as a malformed payload, break it too. The
 * connection keeps the plan, for callers that check again and again.
 */
export async function brokenRows(
  client: Client,
  { name, sql }: Invariant,
): Promise<Record<string, unknown>[]> {
  await client.query("savepoint invariant");
  try {
    const { rows } = await client.query<Record<string, unknown>>({ name, text: sql });
    return rows;
  } catch (error) {
    if (!isAboutData(error)) throw error;
    await client.query("rollback to savepoint invariant");
    return [{ unreadable: error.message }];
  }
}

/** Whether the SQLSTATE is of class 22 (data exception): a value cannot be read as its type. */
const isAboutData = (error: unknown): error is DatabaseError =>
  error instanceof DatabaseError && error.code?.startsWith("22") === true;

/** Formats a verification for a terminal. */
export function renderVerification(verification: Verification): string {
  const { catalog, invariants, references, labels, chains, contents, isWhole } = verification;
  const { drifted } = labels;
  const { broken } = chains;
  return [
    `${statusOf(catalog.differences.length)}  catalog is that of this release (${catalog.objects} objects)`,
    ...catalog.differences.map(({ object, problem }) => `                  ${object} ${problem}`),
    ...invariants.flatMap(({ name, rows, examples }) => lines(name, rows, examples)),
    ...lines(
      `references lead to rows (${references.constraints} foreign keys)`,
      references.broken.reduce((sum, { rows }) => sum + rows, 0),
      references.broken,
    ),
    ...lines(
      `labels match the resolver (${labels.tasks} tasks)`,
      drifted.reduce((sum, { tasks }) => sum + tasks, 0),
      drifted,
    ),
    ...lines(
      `hash chains (${chains.chains} chains, ${chains.events} events)`,
      broken.length,
      broken,
    ),
    ...lines(
      `contents match their hashes (${contents.versions} versions)`,
      contents.forged.length,
      contents.forged,
    ),
    "",
    isWhole
      ? "The catalog is unchanged, all invariants hold, all labels and contents are as they should be, and all hash chains are intact."
      : "Verification failed: see the lines marked BROKEN.",
  ].join("\n");
}

const statusOf = (count: number) =>
  `${count === 0 ? "ok    " : "BROKEN"}  ${String(count).padStart(6)}`;

/** Formats one check: its name, the number of broken rows, and the first few examples. */
function lines(name: string, count: number, examples: readonly object[]): string[] {
  return [
    `${statusOf(count)}  ${name}`,
    ...examples
      .slice(0, EXAMPLES_MAX)
      .map((example) => `                  ${JSON.stringify(example)}`),
  ];
}
