import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { uuidv7 } from "uuidv7";
import { type NewPrompt, type PromptRecord, storePrompt } from "../../db/content/prompts.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { settle } from "../call/replay.ts";

/** Records text that was given to a model or came from one. No label depends on it, so it writes no event. */
export async function recordPrompt(
  call: ActionCall,
  input: NewPrompt,
): Promise<Outcome<Done<PromptRecord>>> {
  const contentHash = bytesToHex(sha256(utf8ToBytes(input.content)));
  const stored = await storePrompt(call.database, { id: uuidv7(), contentHash, ...input }, call);
  const settled = await settle(call.operation, stored, (prompt: PromptRecord) => prompt);
  if ("answer" in settled) return settled.answer;
  const [row] = settled.rows;
  return row === undefined ? refuse(notFound()) : succeed({ value: row.prompt, replayed: false });
}
