import { z } from "zod";
import type { Issue } from "../../src/domain/refusals.ts";
import { LIMIT_MAX } from "../../src/routes/http/schemas.ts";
import { type ApiClient, ApiProblem } from "./api-client.ts";
import { issuesOf } from "./import-records.ts";
import { prefixPaths, type PendingRecord, type Stored } from "./pending-record.ts";
import { isGiven } from "../../src/domain/data/kinds.ts";
import { type Artifact, artifactOf, outputOf, type Work } from "./work.ts";

/**
 * Uploads the texts of a record one by one, so that two equal texts are declared once. Existing data stay as they are. If
 * the task has other golden or source data than the record, it belongs to another record, and nothing is uploaded.
 * @returns the issues that show that the record differs from its task, or none.
 */
export async function storeTexts(client: ApiClient, pending: PendingRecord): Promise<Issue[]> {
  const { record, taskId, result, stored } = pending;
  const texts = textsOf(record.work);
  // A task that was just created has no data yet, so listing it would be a wasted request.
  const mayHaveData = record.outcome === "exists" && texts.length > 0;
  for (const row of mayHaveData ? await listData(client, taskId) : []) {
    const name = nameOf(row);
    if (stored.get(name)?.isStored !== true) stored.set(name, row);
  }
  const differing = foreignData(record.work, stored.values());
  if (differing.length > 0) return differing;
  for (const { artifact, path } of texts) {
    try {
      result.data[await store(client, pending, artifact)] += 1;
    } catch (error) {
      if (!isAboutContent(error)) throw error;
      result.data.refused += 1;
      result.issues.push(...prefixPaths(path, issuesOf(error)));
    }
  }
  return [];
}

/**
 * Returns an issue for each kind of given data of which the record has some, but not all that its task has stored. The
 * task may have fewer, because an earlier import can have been interrupted.
 */
function foreignData({ data }: Work, stored: Iterable<Stored>): Issue[] {
  const own = data.map(artifactOf);
  const kinds = new Set(own.flatMap(({ kind }) => (isGiven(kind) ? [kind] : [])));
  const rows = [...stored].filter(({ isStored }) => isStored);
  return [...kinds].flatMap((kind) => {
    const digests = new Set(own.flatMap((datum) => (datum.kind === kind ? [datum.sha256] : [])));
    const others = rows.filter((row) => row.kind === kind && !digests.has(row.sha256));
    if (others.length === 0) return [];
    const message = `The task with this id has other ${kind} data than the record.`;
    return [{ path: ["data"], code: "differs", message }];
  });
}

/** Returns every text of a record, with its path in the record. */
export function textsOf({ data, evals }: Work): { artifact: Artifact; path: Issue["path"] }[] {
  const outputs = evals.flatMap(({ trials }, number) =>
    trials.flatMap((trial, index) => {
      const artifact = outputOf(trial);
      const path = ["evals", number, "trials", index, "output"];
      return artifact === null ? [] : [{ artifact, path }];
    }),
  );
  return [
    ...data.map((datum, index) => ({ artifact: artifactOf(datum), path: ["data", index] })),
    ...outputs,
  ];
}

/**
 * Returns a key made of kind, content and maker, which the service also uses to distinguish the data of a step. The
 * step is not part of the key, so a repeated import finds its data even if the task has moved on.
 */
export const nameOf = (datum: DatumName): string =>
  JSON.stringify([
    datum.kind,
    datum.sha256,
    ...[datum.model, datum.modelRevision, datum.agent, datum.agentRevision, datum.provider].map(
      (name) => name ?? null,
    ),
  ]);

interface DatumName {
  kind: string;
  sha256: string;
  model?: string | null | undefined;
  modelRevision?: string | null | undefined;
  agent?: string | null | undefined;
  agentRevision?: string | null | undefined;
  provider?: string | null | undefined;
}

const dataPage = z.object({
  data: z.array(
    z
      .object({
        id: z.string(),
        kind: z.string(),
        sha256: z.string(),
        model: z.string().nullable(),
        modelRevision: z.string().nullable(),
        agent: z.string().nullable(),
        agentRevision: z.string().nullable(),
        provider: z.string().nullable(),
        uri: z.string().nullable(),
        storedAt: z.string().nullable(),
      })
      // Data with a URI live elsewhere; their content is never uploaded.
      .transform(({ uri, storedAt, ...row }) => ({
        ...row,
        isStored: uri !== null || storedAt !== null,
      })),
  ),
  nextCursor: z.string().nullable(),
});

async function listData(client: ApiClient, taskId: string) {
  const rows: z.output<typeof dataPage>["data"] = [];
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/data?task=${taskId}&limit=${LIMIT_MAX}${after}`;
    const page: z.output<typeof dataPage> = await client.call({ method: "GET", path }, dataPage);
    rows.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return rows;
}

/** Declares a text unless it is declared, and uploads its content unless that is stored. */
async function store(
  client: ApiClient,
  { taskId, stored }: PendingRecord,
  artifact: Artifact,
): Promise<"stored" | "exists"> {
  const known = stored.get(nameOf(artifact));
  if (known?.isStored === true) return "exists";
  const id = known?.id ?? (await declare(client, taskId, artifact));
  const content = { type: artifact.contentType, bytes: artifact.bytes };
  await client.call({ method: "PUT", path: `/data/${id}/content`, content }, z.object({}));
  const { kind, sha256 } = artifact;
  stored.set(nameOf(artifact), { id, kind, sha256, isStored: true });
  return "stored";
}

const declared = z.object({ id: z.string() });

async function declare(client: ApiClient, taskId: string, artifact: Artifact): Promise<string> {
  const body = declarationOf(artifact);
  try {
    const { id } = await client.call(
      { method: "POST", path: `/tasks/${taskId}/data`, body },
      declared,
    );
    return id;
  } catch (error) {
    // A concurrent caller has declared the same data. Its digest, and so its content, is the same.
    if (error instanceof ApiProblem && error.existingId !== null) return error.existingId;
    throw error;
  }
}

/** Returns the request body that declares a text. */
export function declarationOf(artifact: Artifact) {
  const { text: _, bytes, ...fields } = artifact;
  return { ...fields, sizeBytes: bytes.byteLength };
}

/** True if a call was refused because of its content and not because of its caller, so that the next one may succeed. */
const isAboutContent = (error: unknown): error is ApiProblem =>
  error instanceof ApiProblem &&
  error.status >= 400 &&
  ![401, 403, 429].includes(error.status) &&
  error.status < 500;
