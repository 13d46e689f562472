import { readStackFile } from "./stack.ts";

/** Returns the owner's DSN: MIGRATION_DATABASE_URL, or that of the running local stack. Exits if there is neither. */
export function ownerUrl(): string {
  const url = process.env["MIGRATION_DATABASE_URL"] ?? readStackFile()?.migrationDatabaseUrl;
  if (url) return url;
  console.error("No stack is running here, and MIGRATION_DATABASE_URL is not set.");
  process.exit(2);
}
