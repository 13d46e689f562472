import { expect, test } from "vitest";
import { stageOfObject } from "../../../src/domain/seed/object-path.ts";
import { SEED_STAGES } from "../../../src/domain/seed/stages.ts";

test("every stage has objects under its own prefix", () => {
  for (const stage of SEED_STAGES) {
    expect(stageOfObject(`${stage.prefix}a/b-1.json`)).toBe(stage);
    expect(stageOfObject(stage.prefix)).toMatchObject({ code: "invalid_path" });
    expect(stageOfObject(stage.prefix.slice(0, -1))).toMatchObject({ code: "foreign_prefix" });
  }
});

test("any other character than those of names and slashes is refused, wherever it is", () => {
  for (let code = 0; code < 0x250; code += 1) {
    const character = String.fromCharCode(code);
    for (const name of [`a${character}b`, `${character}b`]) {
      const isName = /^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(name);
      expect("kind" in stageOfObject(`demo/ingestion/${name}`), JSON.stringify(name)).toBe(isName);
    }
  }
});
