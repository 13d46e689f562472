import { createSealer } from "../../src/outbound/sealer.ts";
import { parseSealingKeys, type SealingKey } from "../../src/outbound/sealing-keys.ts";

/** A value of `SEALING_KEYS` with a key for each id. Their bytes follow from the id, so they seal nothing real. */
export function sealingKeys(...ids: string[]): string {
  return ids.map((id) => `${id}:${btoa(id.padEnd(32, "."))}`).join();
}

/** The `SEALING_KEYS` of the tests. */
export const SEALING_KEYS = sealingKeys("test");

export function parsedSealingKeys(text: string): readonly [SealingKey, ...SealingKey[]] {
  const keys = parseSealingKeys(text);
  if (keys === null) throw new Error("The sealing keys are not valid");
  return keys;
}

export const testSealer = (text: string = SEALING_KEYS) => createSealer(parsedSealingKeys(text));
