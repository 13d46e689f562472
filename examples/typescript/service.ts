import { connect } from "../../client/index.ts";

/** The service that STEPLEDGER_URL and STEPLEDGER_KEY name. */
export const stepledger = connect({
  baseUrl: process.env["STEPLEDGER_URL"] ?? "http://127.0.0.1:8787",
  key: process.env["STEPLEDGER_KEY"],
});
