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
 * Gives a pipeline its settings. Its first secret is made here unless one is brought; another one that is brought
 * takes the place of the present one, which signs along for a day.
 */
export async function putPipeline(
  { database, operation, outbound }: ActionCall & { outbound: Outbound },
  { secret, ...settings }: PipelineSettings & { secret?: string | undefined },
): Promise<Outcome<Done<WithSecret<PipelineRecord>>>> {
  const judged = settings.endpoint === null ? null : judgeEndpoint(settings.endpoint, outbound);
  if (judged?.ok === false) return refuse(urlNotAllowed(judged.detail));
  const given = secret === undefined ? null : parseSecret(secret);
  if (secret !== undefined && given === null) return refuse(noSecret());
  const secrets = { given, made: newSecret(), keptHours: PREVIOUS_SECRET_HOURS };
  const written = await storePipeline(database, settings, secrets, operation);
  return answerWithSecret(operation, secrets.made, written);
}

function noSecret() {
  return validationFailed({
    path: ["secret"],
    code: "invalid_secret",
    message: "Must be `whsec_` and 24 to 64 bytes in Base64.",
  });
}
