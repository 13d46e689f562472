import { expect, test } from "vitest";
import { ROLES } from "../../src/domain/actor.ts";
import { PEOPLE_ROLES } from "../../src/domain/rights.ts";
import { roleOfClaim } from "../../src/routes/http/role-claim.ts";

test.each(ROLES)("a claim that is the text %s is that role", (role) => {
  expect(roleOfClaim(role)).toBe(role);
  expect(roleOfClaim([role])).toBe(role);
});

test("a list has the highest role of people in it, in any order", () => {
  for (const [index, role] of PEOPLE_ROLES.entries()) {
    const lower = PEOPLE_ROLES.slice(0, index);
    expect(roleOfClaim([...lower, role, "everyone"])).toBe(role);
    expect(roleOfClaim([role, 7, null, ...lower, "service"])).toBe(role);
  }
});

test.each([undefined, null, "", [], ["everyone"], [["admin"]], [{ admin: true }]])(
  "%j names no role",
  (claim) => {
    expect(roleOfClaim(claim)).toBe("none");
  },
);

test.each(["root", "Admin", "admin ", "viewer,admin", 1, true, { role: "admin" }])(
  "%j is not known",
  (claim) => {
    expect(roleOfClaim(claim)).toBe("unknown");
  },
);
