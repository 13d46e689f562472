import { rotatePipelineSecret as rotate } from "../db/pipelines.ts";
import type { Pipeline } from "../domain/lifecycle/statuses.ts";
import { accept, type Outcome } from "../domain/refusals.ts";
import { newSecret, PREVIOUS_SECRET_HOURS } from "../outbound/secrets.ts";
import type { ActionCall, Done } from "./call.ts";
import { pipelineRenderer, type PipelineWithSecret } from "./put-pipeline.ts";
import { settle } from "./replay.ts";

/** Gives a pipeline another secret, which only this answer shows; the one before signs along for a day. */
export async function rotatePipelineSecret(
  { database, operation }: ActionCall,
  name: Pipeline,
): Promise<Outcome<Done<PipelineWithSecret>>> {
  const made = newSecret();
  const render = pipelineRenderer(operation.id, made);
  const rotation = { name, made, keptHours: PREVIOUS_SECRET_HOURS };
  const settled = await settle(operation, await rotate(database, rotation, operation), render);
  if ("answer" in settled) return settled.answer;
  const [rotated] = settled.rows;
  if (rotated === undefined) throw new Error("A secret is stored or the statement fails");
  return accept({ value: render(rotated), replayed: false });
}
