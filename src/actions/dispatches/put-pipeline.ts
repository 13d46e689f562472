import {
  type PipelineRecord,
  type PipelineSettings,
  storePipeline,
} from "../../db/dispatches/pipelines.ts";
import { findCurrentSecret, type SecretOwner } from "../../db/webhooks/signing-secrets.ts";
import { type Outcome, refuse, urlNotAllowed, validationFailed } from "../../domain/refusals.ts";
import { judgeEndpoint } from "../../outbound/endpoint-rules.ts";
import { newSecret, parseSecret } from "../../outbound/secrets.ts";
import { administrationOf, type Done } from "../call/call.ts";
import {
  type SecretCall,
  sealPlain,
  type WithSecret,
  writeSecret,
} from "../secrets/write-secret.ts";

/**
 * Stores a pipeline's settings. A new pipeline gets a generated secret unless the caller provides one. A provided
 * secret replaces the current one, which also signs for another 24 hours, unless it is the current one.
 */
export async function putPipeline(
  call: SecretCall,
  {
    secret,
    reason,
    ...settings
  }: PipelineSettings & { secret?: string | undefined; reason?: string | undefined },
): Promise<Outcome<Done<WithSecret<PipelineRecord>>>> {
  const { database, outbound } = call;
  const judged = settings.endpoint === null ? null : judgeEndpoint(settings.endpoint, outbound);
  if (judged?.ok === false) return refuse(urlNotAllowed(judged.detail));
  const provided = secret === undefined ? null : parseSecret(secret);
  if (secret !== undefined && provided === null) return refuse(invalidSecret());
  const owner: SecretOwner = { kind: "pipeline", name: settings.name };
  const written = { value: provided ?? newSecret(), isGenerated: provided === null };
  return writeSecret(call, owner, written, async (sealed) => {
    const replaces = provided === null ? null : await replacedBy(call, owner, provided);
    return storePipeline(
      database,
      settings,
      { secret: sealed, replaces },
      administrationOf(call, reason),
    );
  });
}

/**
 * Returns the current secret that a provided one replaces; null if they are equal. A current secret that does not open
 * is replaced, because a new secret is the way out.
 */
async function replacedBy(
  { database, outbound }: SecretCall,
  owner: SecretOwner,
  provided: Uint8Array,
): Promise<{ id: string | null } | null> {
  await sealPlain({ database, outbound }, owner);
  const current = await findCurrentSecret(database, owner);
  if (current === null) return { id: null };
  const address = { tenantId: database.tenantId, ...owner, id: current.id };
  const opened = await outbound.sealer.open(address, current.sealed);
  return opened instanceof Uint8Array && isEqual(opened, provided) ? null : { id: current.id };
}

/** Compares every byte, so that the time does not depend on the secret. */
function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  return (
    one.reduce((difference, byte, index) => difference | (byte ^ (other[index] ?? 0)), 0) === 0
  );
}

function invalidSecret() {
  return validationFailed({
    path: ["secret"],
    code: "invalid_secret",
    message: "Must be `whsec_` and 24 to 64 bytes in Base64.",
  });
}
