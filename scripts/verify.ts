import { ownerUrl } from "./stack/owner-url.ts";
import { renderVerification, verifyDatabase } from "./verify/verify-database.ts";

/** `npm run verify`: every invariant and every hash chain of the database; fails where one does not hold. */
const verification = await verifyDatabase(ownerUrl());
console.log(renderVerification(verification));
process.exit(verification.isWhole ? 0 : 1);
