import { z } from "zod";
import type { Issue } from "../../src/domain/refusals.ts";
import { type ApiClient, ApiProblem } from "./api-client.ts";
import { issuesOf } from "./import-records.ts";
import { placed, type Underway } from "./underway.ts";
import { type Artifact, artifactOf, outputOf, type Work } from "./work.ts";

/**
 * Brings in the texts of a record, one after the other: of two that are the same, the first one is declared. What is
 * there already stays as it is.
 */
export async function storeTexts(client: ApiClient, one: Underway): Promise<void> {
  const { record, taskId, told, stored } = one;
  const texts = textsOf(record.work);
  // A task that was made just now has none yet: asking would be a request for nothing.
  const known = record.outcome === "exists" && texts.length > 0;
  for (const row of known ? await listData(client, taskId) : []) {
    const name = nameOf(row);
    if (stored.get(name)?.isStored !== true) stored.set(name, row);
  }
  for (const { artifact, path } of texts) {
    try {
      told.data[await store(client, one, artifact)] += 1;
    } catch (error) {
      if (!isAboutThis(error)) throw error;
      told.data.refused += 1;
      told.issues.push(...placed(path, issuesOf(error)));
    }
  }
}

/** Every text of a record, with its place in it. */
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
 * Names data by kind, content and maker, as the service tells those of a step apart. The step is no part of it: an
 * import that is started again finds what it brought in, wherever the tasks stand by then.
 */
export const nameOf = (datum: DatumName): string =>
  JSON.stringify([
    datum.kind,
    datum.sha256,
    ...[datum.model, datum.modelRevision, datum.agent, datum.provider].map((name) => name ?? null),
  ]);

interface DatumName {
  kind: string;
  sha256: string;
  model?: string | null | undefined;
  modelRevision?: string | null | undefined;
  agent?: string | null | undefined;
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
        provider: z.string().nullable(),
        uri: z.string().nullable(),
        storedAt: z.string().nullable(),
      })
      // What lives elsewhere is never sent.
      .transform(({ uri, storedAt, ...row }) => ({
        ...row,
        isStored: uri !== null || storedAt !== null,
      })),
  ),
  nextCursor: z.string().nullable(),
});
const PAGE_MAX = 200;

async function listData(client: ApiClient, taskId: string) {
  const rows: z.output<typeof dataPage>["data"] = [];
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/data?task=${taskId}&limit=${PAGE_MAX}${after}`;
    const page: z.output<typeof dataPage> = await client.call({ method: "GET", path }, dataPage);
    rows.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return rows;
}

/** Declares a text unless it is declared, and sends what it holds unless that is there. */
async function store(
  client: ApiClient,
  { taskId, stored }: Underway,
  artifact: Artifact,
): Promise<"stored" | "exists"> {
  const known = stored.get(nameOf(artifact));
  if (known?.isStored === true) return "exists";
  const id = known?.id ?? (await declare(client, taskId, artifact));
  const content = { type: artifact.contentType, bytes: artifact.bytes };
  await client.call({ method: "PUT", path: `/data/${id}/content`, content }, z.object({}));
  stored.set(nameOf(artifact), { id, isStored: true });
  return "stored";
}

const named = z.object({ id: z.string() });

async function declare(client: ApiClient, taskId: string, artifact: Artifact): Promise<string> {
  const body = declarationOf(artifact);
  try {
    const { id } = await client.call(
      { method: "POST", path: `/tasks/${taskId}/data`, body },
      named,
    );
    return id;
  } catch (error) {
    // Somebody else declared it meanwhile: what it holds is the same.
    if (error instanceof ApiProblem && error.existingId !== null) return error.existingId;
    throw error;
  }
}

/** What declares a text. */
export function declarationOf(artifact: Artifact) {
  const { text: _, bytes, ...fields } = artifact;
  return { ...fields, sizeBytes: bytes.byteLength };
}

/** Whether a call was refused for what it asked, and not for who asked it: the next one may go through. */
const isAboutThis = (error: unknown): error is ApiProblem =>
  error instanceof ApiProblem &&
  error.status >= 400 &&
  ![401, 403, 429].includes(error.status) &&
  error.status < 500;
