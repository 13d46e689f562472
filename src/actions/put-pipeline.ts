import {
  type PipelineRecord,
  type PipelineSettings,
  type StoredPipeline,
  storePipeline,
} from "../db/pipelines.ts";
import {
  accept,
  type Outcome,
  refuse,
  urlNotAllowed,
  validationFailed,
} from "../domain/refusals.ts";
import { judgeEndpoint } from "../outbound/endpoint-rules.ts";
import type { Outbound } from "../outbound/post-signed.ts";
import { newSecret, parseSecret, PREVIOUS_SECRET_HOURS, secretText } from "../outbound/secrets.ts";
import type { ActionCall, Done } from "./call.ts";
import { settle } from "./replay.ts";

/** A pipeline's settings, with a secret where one was made; nobody sees it again. */
export interface PipelineWithSecret extends PipelineRecord {
  secret: string | null;
}

/**
 * Gives a pipeline its settings. Its first secret is made here unless one is brought; another one that is brought
 * takes the place of the present one, which signs along for a day.
 */
export async function putPipeline(
  { database, operation, outbound }: ActionCall & { outbound: Outbound },
  { secret, ...settings }: PipelineSettings & { secret?: string | undefined },
): Promise<Outcome<Done<PipelineWithSecret>>> {
  const judged = settings.endpoint === null ? null : judgeEndpoint(settings.endpoint, outbound);
  if (judged?.ok === false) return refuse(urlNotAllowed(judged.detail));
  const given = secret === undefined ? null : parseSecret(secret);
  if (secret !== undefined && given === null) return refuse(noSecret());

  const secrets = { given, made: newSecret(), keptHours: PREVIOUS_SECRET_HOURS };
  const render = pipelineRenderer(operation.id, secrets.made);
  const recorded = await storePipeline(database, settings, secrets, operation);
  const settled = await settle(operation, recorded, render);
  if ("answer" in settled) return settled.answer;
  const [stored] = settled.rows;
  if (stored === undefined) throw new Error("A pipeline is stored or the statement fails");
  return accept({ value: render(stored), replayed: false });
}

/** Shows the secret that this very call made; a repeat by another one has none to show. */
export function pipelineRenderer(
  callId: string,
  made: Uint8Array,
): (stored: StoredPipeline) => PipelineWithSecret {
  return ({ record, operationId, isSecretMade }) => ({
    ...record,
    secret: isSecretMade && operationId === callId ? secretText(made) : null,
  });
}

function noSecret() {
  return validationFailed({
    path: ["secret"],
    code: "invalid_secret",
    message: "Must be `whsec_` and 24 to 64 bytes in Base64.",
  });
}
