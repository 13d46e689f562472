import {
  ERROR_CODES,
  type ErrorCode,
  PROBLEMS,
  type Retry,
} from "../../src/routes/http/problem.ts";

const RETRY_MEANS: Record<Retry, string> = {
  same: "The same request may succeed later. Writes with an `Idempotency-Key` are safe to repeat.",
  reload: "Read the current state and decide again.",
  never: "The same request will never succeed.",
};

/** Generates docs/errors.md, the catalog of problem codes. */
export function generateErrors(): string {
  return `# Errors

Every error is \`application/problem+json\` (RFC 9457). It has the members \`type\`, \`title\`, \`status\`, \`detail\`,
\`instance\` (the request id), \`error\` (a code on this page), \`retry\`, and those listed with the code. Codes never
change; titles and details may. A 409 about a task also has \`next\`: the calls that the task allows now.

| retry | what it means |
| --- | --- |
${Object.entries(RETRY_MEANS)
  .map(([retry, meaning]) => `| \`${retry}\` | ${meaning} |`)
  .join("\n")}

${ERROR_CODES.map(section).join("\n\n")}
`;
}

function section(code: ErrorCode): string {
  const { status, title, detail, retry, members, retryAfterSeconds } = PROBLEMS[code];
  const facts = [`Status ${status}`, `retry \`${retry}\``];
  if (members.length > 0) facts.push(`with ${members.map((member) => `\`${member}\``).join(", ")}`);
  if (retryAfterSeconds !== undefined) facts.push(`\`Retry-After: ${retryAfterSeconds}\``);
  return `## ${code}\n\n**${title}.** ${facts.join(" · ")}\n\n${detail}`;
}
