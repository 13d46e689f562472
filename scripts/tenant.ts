import { ownerUrl } from "./stack/owner-url.ts";
import { inventTenant, storeTenant } from "./stack/tenants.ts";

/** `npm run tenant -- create NAME` creates a tenant, and prints its id and its first key, which has the role admin. */
const [verb, ...words] = process.argv.slice(2);
const name = words.join(" ").trim();
if (verb !== "create" || name === "" || name.length > 200) {
  console.error("Usage: npm run tenant -- create NAME");
  process.exit(2);
}
const tenant = inventTenant(name, { signingSecret: process.env["SIGNING_SECRET"] });
await storeTenant(ownerUrl(), tenant, ["admin"]);
console.log(`Tenant     ${tenant.id}`);
console.log(`Admin key  ${tenant.keys.admin}`);
console.log("Store the key now: the database keeps only its digest.");
