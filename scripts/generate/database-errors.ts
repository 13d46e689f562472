import {
  NO_SQLSTATE,
  SQLSTATES,
  type SqlStateRow,
  type Verdict,
} from "../../src/db/connection/sqlstates.ts";

const VERDICT_MEANS: Record<Verdict, string> = {
  retry:
    "It passes. The client tries again, up to five times with the same operation id. Then the caller gets 503 `unavailable`.",
  unavailable:
    "The database serves no one until an operator acts. The caller gets 503 `unavailable` at once, because a retry within a second would not help.",
  rejected:
    "The rows break a rule. The action turns that into a refusal (409, or a `failed` item of a bulk change); otherwise the caller gets 500 `internal`.",
  defect: "The statement is wrong. The caller gets 500 `internal`.",
};

/** Generates docs/database-errors.md, the table of SQLSTATEs. */
export function generateDatabaseErrors(): string {
  // Digits before letters, and each class before its codes.
  const rows = Object.entries(SQLSTATES).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `# Database errors

What each error of Postgres means for the call that received it: the classes of Appendix A of the PostgreSQL
documentation (versions 16 to 18), the codes that differ from their class, and the guards of this schema (\`SL\`). The
code's own row applies, or else that of its first two characters. A code without a row is a defect.

| verdict | what follows |
| --- | --- |
${Object.entries(VERDICT_MEANS)
  .map(([verdict, means]) => `| \`${verdict}\` | ${means} |`)
  .join("\n")}

A commit is **unknown** if the transaction may have committed although the client got an error. A retry finds the
operation that the first attempt stored, so it does not write twice. Postgres raises every error to PANIC once the
commit record is written, so an ERROR was rolled back. The classes 58 and XX count as unknown nevertheless: they report
a server or a storage that does not behave as designed.

A FATAL error ends the session. It is about the server or the login, so a code that is otherwise \`rejected\` or
\`defect\` becomes \`retry\`, unknown: 42501 if the role may not connect, 55000 if the database accepts no connections.
After a PANIC, the commit is always unknown.

| SQLSTATE | meaning | verdict | commit |
| --- | --- | --- | --- |
${[["none", NO_SQLSTATE] as const, ...rows].map(tableRow).join("\n")}
`;
}

function tableRow([code, { means, verdict, isCommitUnknown }]: readonly [string, SqlStateRow]) {
  const name = code.length === 2 ? `${code}xxx` : code;
  return `| ${name} | ${means} | \`${verdict}\` | ${isCommitUnknown ? "**unknown**" : "none"} |`;
}
