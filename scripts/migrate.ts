import { migrateDatabase } from "./stack/migrate.ts";

/** `npm run migrate`: brings the database of MIGRATION_DATABASE_URL to the newest migration. */
const url = process.env["MIGRATION_DATABASE_URL"];
if (!url) {
  console.error("MIGRATION_DATABASE_URL is not set: it is the DSN of the role stepledger_owner.");
  process.exit(2);
}
await migrateDatabase(url);
console.log("The database has the newest schema.");
