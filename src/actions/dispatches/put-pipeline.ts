import {
  type PipelineRecord,
  type PipelineSettings,
  storePipeline,
} from "../../db/dispatches/pipelines.ts";
import { type Outcome, refuse, urlNotAllowed, validationFailed } from "../../domain/refusals.ts";
import { judgeEndpoint } from "../../outbound/endpoint-rules.ts";
import type { Outbound } from "../../outbound/post-signed.ts";
import { newSecret, parseSecret, PREVIOUS_SECRET_HOURS } from "../../outbound/secrets.ts";
import { answerWithSecret, type WithSecret } from "../secrets/answer-with-secret.ts";
import type { ActionCall, Done } from "../call/call.ts";

/**
 * Stores a pipeline's settings. A new pipeline gets a generated secret unless the caller provides one. A provided
 * secret replaces the present one, which also signs for another 24 hours.
 */
export async function putPipeline(
  { database, operation, outbound }: ActionCall & { outbound: Outbound },
  { secret, ...settings }: PipelineSettings & { secret?: string | undefined },
): Promise<Outcome<Done<WithSecret<PipelineRecord>>>> {
  const judged = settings.endpoint === null ? null : judgeEndpoint(settings.endpoint, outbound);
  if (judged?.ok === false) return refuse(urlNotAllowed(judged.detail));
  const provided = secret === undefined ? null : parseSecret(secret);
  if (secret !== undefined && provided === null) return refuse(invalidSecret());
  const secrets = {
    provided,
    generated: newSecret(),
    previousHours: PREVIOUS_SECRET_HOURS,
  };
  const written = await storePipeline(database, settings, secrets, operation);
  return answerWithSecret(operation, secrets.generated, written);
}

function invalidSecret() {
  return validationFailed({
    path: ["secret"],
    code: "invalid_secret",
    message: "Must be `whsec_` and 24 to 64 bytes in Base64.",
  });
}
