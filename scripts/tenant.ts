import { ownerUrl } from "./stack/owner-url.ts";
import { findTenants, inventTenant, mintAdminKey, storeTenant } from "./stack/tenants.ts";

/**
 * `npm run tenant -- create NAME` creates a tenant, and prints its id and its first key, which has the role admin. With
 * `--demo`, it is a demo, in which life can be simulated; a tenant keeps its kind.
 * `npm run tenant -- key NAME` prints a new admin key of an existing tenant, by its name or id: the way back in for
 * anyone who has the owner's database URL.
 */
const NAME_LENGTH_MAX = 200;
const isDemo = process.argv.includes("--demo");
const [verb, ...words] = process.argv.slice(2).filter((word) => word !== "--demo");
const name = words.join(" ").trim();
if (
  (verb !== "create" && verb !== "key") ||
  name === "" ||
  name.length > NAME_LENGTH_MAX ||
  (isDemo && verb !== "create")
) {
  console.error("Usage: npm run tenant -- create NAME [--demo] | key NAME");
  process.exit(2);
}
const signingSecret = process.env["SIGNING_SECRET"];
if (verb === "create") {
  const tenant = inventTenant(name, { kind: isDemo ? "demo" : "customer", signingSecret });
  await storeTenant(ownerUrl(), tenant, ["admin"]);
  print(tenant.id, tenant.keys.admin);
} else {
  const [found, ...others] = await findTenants(ownerUrl(), name);
  if (found === undefined || others.length > 0) {
    console.error(
      found === undefined
        ? `No tenant has the name or id "${name}".`
        : `Several tenants have this name. Give an id: ${[found, ...others].join(", ")}`,
    );
    process.exit(1);
  }
  print(found, await mintAdminKey(ownerUrl(), found, signingSecret ?? null));
}

function print(tenantId: string, key: string): void {
  console.log(`Tenant     ${tenantId}`);
  console.log(`Admin key  ${key}`);
  console.log("Store the key now: the database keeps only its digest.");
}
