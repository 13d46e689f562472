import { type PipelineRecord, rotateSecretOfPipeline } from "../../db/dispatches/pipelines.ts";
import { rotateSecretOfWebhook, type WebhookRecord } from "../../db/webhooks/webhooks.ts";
import type { Pipeline } from "../../domain/pipelines/pipelines.ts";
import type { Outcome } from "../../domain/refusals.ts";
import { newSecret, PREVIOUS_SECRET_HOURS } from "../../outbound/secrets.ts";
import { answerWithSecret, type WithSecret } from "./answer-with-secret.ts";
import type { ActionCall, Done } from "../call/call.ts";

// Each replaces a secret. Only this answer shows the new one; the old one also signs for another 24 hours.

export async function rotatePipelineSecret(
  { database, operation }: ActionCall,
  name: Pipeline,
): Promise<Outcome<Done<WithSecret<PipelineRecord>>>> {
  const rotation = newRotation();
  const written = await rotateSecretOfPipeline(database, name, rotation, operation);
  return answerWithSecret(operation, rotation.generated, written);
}

export async function rotateWebhookSecret(
  { database, operation }: ActionCall,
  name: string,
): Promise<Outcome<Done<WithSecret<WebhookRecord>>>> {
  const rotation = newRotation();
  const written = await rotateSecretOfWebhook(database, name, rotation, operation);
  return answerWithSecret(operation, rotation.generated, written);
}

const newRotation = () => ({ generated: newSecret(), previousHours: PREVIOUS_SECRET_HOURS });
