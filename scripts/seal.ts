import { parseArgs } from "node:util";
import { parseSealingKeys } from "../src/outbound/sealing-keys.ts";
import { showProgress } from "./import/progress.ts";
import { countSecrets, discardSecrets, renderCounts, sealSecrets } from "./seal/seal-secrets.ts";
import { ownerUrl } from "./stack/owner-url.ts";
import { readStackFile } from "./stack/stack.ts";

/**
 * `npm run seal` seals every signing secret with the first key of SEALING_KEYS. It can be interrupted and run again,
 * while the service runs. Exits with 1 if secrets remain under another key.
 */
const USAGE = `Usage: npm run seal [-- --check | --discard KEY_ID]

Seals plain secrets, and those under other keys, with the first key of SEALING_KEYS.
  --check            only count the secrets under each key
  --discard KEY_ID   delete the secrets of a lost key, and list what must be rotated`;

const options = readOptions();
const url = ownerUrl();
const text = process.env["SEALING_KEYS"] ?? readStackFile()?.sealingKeys;
const keys = text === undefined ? null : parseSealingKeys(text);
if (keys === null) {
  console.error("Set SEALING_KEYS to ID:BASE64 of 32 bytes; several are separated by commas.");
  process.exit(2);
}

if (options.discard !== undefined) {
  if (keys.some(({ id }) => id === options.discard)) {
    console.error(
      `The key ${options.discard} is in SEALING_KEYS. Its secrets can still be opened.`,
    );
    process.exit(2);
  }
  const unsigned = await discardSecrets(url, options.discard);
  for (const { tenantId, kind, name } of unsigned) {
    console.log(`Tenant ${tenantId}: rotate the secret of the ${kind} ${name}`);
  }
} else if (!options.check) {
  const { unopened } = await sealSecrets(url, keys, (total) => showProgress("Sealing", total));
  for (const { tenantId, kind, name, keyId, fault } of unopened) {
    console.error(`Not opened (${fault}, key ${keyId}): ${kind} ${name} of tenant ${tenantId}`);
  }
}
const counts = await countSecrets(url);
console.log(renderCounts(counts, keys));
process.exit(counts.every(({ keyId }) => keyId === keys[0].id) ? 0 : 1);

function readOptions() {
  try {
    const { check, discard } = parseArgs({
      options: { check: { type: "boolean", default: false }, discard: { type: "string" } },
    }).values;
    if (!check || discard === undefined) return { check, discard };
  } catch {
    // The usage says what is valid.
  }
  console.error(USAGE);
  process.exit(2);
}
