import { connect } from "../../client/index.ts";

/** A client for the service at STEPLEDGER_URL, with the key in STEPLEDGER_KEY. */
export const stepledger = connect({
  baseUrl: process.env["STEPLEDGER_URL"] ?? "http://127.0.0.1:8787",
  key: process.env["STEPLEDGER_KEY"],
});
