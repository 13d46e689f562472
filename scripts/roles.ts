import { APPLICATION_ROLE, createRoles, OWNER_ROLE, urlForRole } from "./stack/roles.ts";

/** `npm run roles -- DATABASE` creates the two roles and the database on any Postgres. Safe to run again. */
const [database] = process.argv.slice(2);
const { ADMIN_DATABASE_URL, OWNER_PASSWORD, APPLICATION_PASSWORD } = process.env;
if (!database || !ADMIN_DATABASE_URL || !OWNER_PASSWORD || !APPLICATION_PASSWORD) {
  console.error("Usage: npm run roles -- DATABASE");
  console.error("Set ADMIN_DATABASE_URL, OWNER_PASSWORD and APPLICATION_PASSWORD.");
  process.exit(2);
}
await createRoles({
  adminUrl: ADMIN_DATABASE_URL,
  database,
  passwords: { owner: OWNER_PASSWORD, application: APPLICATION_PASSWORD },
});
const url = new URL(ADMIN_DATABASE_URL);
url.pathname = `/${encodeURIComponent(database)}`;
console.log(`MIGRATION_DATABASE_URL=${urlForRole(url.href, OWNER_ROLE, OWNER_PASSWORD)}`);
console.log(`DATABASE_URL=${urlForRole(url.href, APPLICATION_ROLE, APPLICATION_PASSWORD)}`);
