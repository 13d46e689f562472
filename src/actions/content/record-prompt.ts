import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { type NewPrompt, type PromptRecord, storePrompt } from "../../db/content/prompts.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { idsOf } from "../call/ids-of.ts";
import { asStored, conclude } from "../call/conclude.ts";

/** Records text that was sent to a model or returned by one. No label depends on it, so it writes no event. */
export async function recordPrompt(
  call: ActionCall,
  input: NewPrompt,
): Promise<Outcome<Done<PromptRecord>>> {
  const contentHash = bytesToHex(sha256(utf8ToBytes(input.content)));
  const stored = await storePrompt(
    call.database,
    { id: idsOf(call)(), contentHash, ...input },
    call,
  );
  return conclude(call.operation, stored, { result: ({ prompt }) => prompt, render: asStored });
}
