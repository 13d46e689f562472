import { migrateDatabase } from "./stack/migrate.ts";

/** `npm run migrate` applies all missing migrations to the database of MIGRATION_DATABASE_URL. */
const url = process.env["MIGRATION_DATABASE_URL"];
if (!url) {
  console.error("Set MIGRATION_DATABASE_URL to the DSN of the role stepledger_owner.");
  process.exit(2);
}
await migrateDatabase(url);
console.log("The database is up to date.");
