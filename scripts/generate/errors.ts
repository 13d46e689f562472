import {
  ERROR_CODES,
  type ErrorCode,
  PROBLEMS,
  type Retry,
} from "../../src/routes/http/problem.ts";

const RETRY_MEANS: Record<Retry, string> = {
  same: "The same request may succeed later. Writes with an `Idempotency-Key` are safe to repeat.",
  reload: "Look at the present state and decide anew.",
  never: "This request will not succeed, however often it is sent.",
};

/** docs/errors.md: the catalogue of problem codes, for people. */
export function generateErrors(): string {
  return `# Errors

Every error is \`application/problem+json\` (RFC 9457): \`type\`, \`title\`, \`status\`, \`detail\`, \`instance\` (the request
id), \`error\` (a code of this page, which never changes; sentences may), \`retry\`, and the members that the code
promises. A 409 of a task also bears \`next\`: the calls that would be lawful now.

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
