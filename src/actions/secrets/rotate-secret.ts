import { type PipelineRecord, rotateSecretOfPipeline } from "../../db/dispatches/pipelines.ts";
import { rotateSecretOfWebhook, type WebhookRecord } from "../../db/webhooks/webhooks.ts";
import type { Pipeline } from "../../domain/pipelines/pipelines.ts";
import type { Outcome } from "../../domain/refusals.ts";
import { newSecret } from "../../outbound/secrets.ts";
import { administrationOf, type Done } from "../call/call.ts";
import { type SecretCall, type WithSecret, writeSecret } from "./write-secret.ts";

// Each replaces a secret. Every secret before it also signs for 24 hours after it was replaced.

export function rotatePipelineSecret(
  call: SecretCall,
  { name, reason }: { name: Pipeline; reason?: string | undefined },
): Promise<Outcome<Done<WithSecret<PipelineRecord>>>> {
  return writeSecret(call, { kind: "pipeline", name }, generated(), (secret) =>
    rotateSecretOfPipeline(call.database, name, secret, administrationOf(call, reason)),
  );
}

export function rotateWebhookSecret(
  call: SecretCall,
  { name, reason }: { name: string; reason?: string | undefined },
): Promise<Outcome<Done<WithSecret<WebhookRecord>>>> {
  return writeSecret(call, { kind: "webhook", name }, generated(), (secret) =>
    rotateSecretOfWebhook(call.database, name, secret, administrationOf(call, reason)),
  );
}

const generated = () => ({ value: newSecret(), isGenerated: true });
