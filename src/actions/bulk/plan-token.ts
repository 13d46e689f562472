import { blake3 } from "@noble/hashes/blake3.js";
import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { BulkPlan } from "../../domain/bulk/plan.ts";
import {
  planIdsText,
  planTaskTexts,
  planTokenContents,
  type PlanDigests,
  type PlanTokenContents,
} from "../../domain/bulk/plan-token.ts";
import type { TokenSigner } from "../call/signed-token.ts";

/** The keys that sign and digest plan tokens. */
export interface PlanSeal {
  signer: TokenSigner;
  /** The key of the digests is derived from this. */
  secret: string;
}

/** Short, because a plan holds one for each task. Keyed, so that no one can search for two states that collide. */
const TASK_DIGEST_BYTES = 8;
const IDS_DIGEST_BYTES = 16;
const PURPOSE = "bulk-plan";
const KEY_CONTEXT = utf8ToBytes("stepledger 2026-11 digests of bulk plans");
const HEADER_LENGTH_BYTES = 2;

/** Returns the keyed digests of a plan, in hex. */
export function digestPlan({ secret }: PlanSeal, plan: BulkPlan): PlanDigests {
  const key = blake3(utf8ToBytes(secret), { context: KEY_CONTEXT });
  const digest = (text: string, dkLen: number) =>
    bytesToHex(blake3(utf8ToBytes(text), { key, dkLen }));
  return {
    ids: digest(planIdsText(plan), IDS_DIGEST_BYTES),
    tasks: planTaskTexts(plan).map((text) => digest(text, TASK_DIGEST_BYTES)),
  };
}

/** Signs a plan's contents: the header's length in 2 bytes, the header as JSON, and 8 bytes for each task. */
export function sealPlan({ signer }: PlanSeal, contents: PlanTokenContents): Promise<string> {
  const { tasks, ...header } = contents;
  const head = utf8ToBytes(JSON.stringify(header));
  const digests = hexToBytes(tasks.join(""));
  const payload = new Uint8Array(HEADER_LENGTH_BYTES + head.length + digests.length);
  new DataView(payload.buffer).setUint16(0, head.length);
  payload.set(head, HEADER_LENGTH_BYTES);
  payload.set(digests, HEADER_LENGTH_BYTES + head.length);
  return signer.sign(PURPOSE, payload);
}

/** Returns the contents of a token that this service signed; null for any other. */
export async function openPlan(
  { signer }: PlanSeal,
  token: string,
): Promise<PlanTokenContents | null> {
  const payload = await signer.open(PURPOSE, token);
  if (payload === null) return null;
  const { buffer, byteOffset, byteLength } = payload;
  const headLength = new DataView(buffer, byteOffset, byteLength).getUint16(0);
  const headEnd = HEADER_LENGTH_BYTES + headLength;
  // A token that an older release signed may have other members.
  const header = planTokenContents
    .omit({ tasks: true })
    .safeParse(
      JSON.parse(new TextDecoder().decode(payload.subarray(HEADER_LENGTH_BYTES, headEnd))),
    );
  if (!header.success) return null;
  const digests = bytesToHex(payload.subarray(headEnd));
  const tasks = digests.match(new RegExp(`.{${TASK_DIGEST_BYTES * 2}}`, "g")) ?? [];
  return { ...header.data, tasks };
}
