import { ownerUrl } from "./stack/owner-url.ts";
import { renderVerification, verifyDatabase } from "./verify/verify-database.ts";

/** `npm run verify` checks every invariant, label and hash chain of the database. Exits with 1 if any check fails. */
const verification = await verifyDatabase(ownerUrl());
console.log(renderVerification(verification));
process.exit(verification.isWhole ? 0 : 1);
