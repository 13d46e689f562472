import { readStackFile } from "./stack.ts";

/** The owner's DSN: of MIGRATION_DATABASE_URL, or else of the stack that runs here. Ends the process without one. */
export function ownerUrl(): string {
  const url = process.env["MIGRATION_DATABASE_URL"] ?? readStackFile()?.migrationDatabaseUrl;
  if (url) return url;
  console.error("No stack is running here, and MIGRATION_DATABASE_URL is not set.");
  process.exit(2);
}
