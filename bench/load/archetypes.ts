import type { StepKind } from "../../src/domain/lifecycle/statuses.ts";
import type { UnifiedStatus } from "../../src/domain/status/unified.ts";
import {
  advanced,
  archived,
  assigned,
  authored,
  checked,
  checking,
  generated,
  generating,
  generationFailed,
  imported,
  judged,
  moved,
  noted,
  revised,
  sentBack,
  waived,
  written,
} from "./stages.ts";
import type { Template } from "./template.ts";
import type { Walk } from "./walk.ts";

/** A kind of life that many tasks have. */
export interface Archetype {
  name: string;
  /** How many of a thousand tasks. */
  weight: number;
  template: Template;
}

/**
 * What a tenant's tasks look like after half a year: a third is delivered, the rest is spread over every label, a
 * tenth has been revised or sent back. The weights add up to a thousand.
 */
export const ARCHETYPES: readonly Archetype[] = [
  lived("DRAFT", 15, "waits to be taken in", () => written()),
  lived("DRAFT", 30, "is being written", () => assigned(moved(at("authoring"), "running", 50))),
  lived("DRAFT", 15, "waits for its author", () =>
    moved(moved(at("authoring", 20), "running", 50), "awaiting_input", 90, "Which unit?"),
  ),
  lived("DRAFT", 10, "has its check called off", () =>
    moved(at("pre_qa"), "cancelled", 15, "The rules change tomorrow."),
  ),
  lived("DRAFT", 10, "is written again", () =>
    sentBack(checked(at("pre_qa"), "failed"), "authoring"),
  ),

  lived("CHECKING_QUALITY", 15, "waits for its check", () => at("pre_qa")),
  lived("CHECKING_QUALITY", 25, "is being checked", () => {
    const walk = at("pre_qa");
    checking(walk);
    return walk;
  }),

  lived("QUALITY_CHECK_FAILED", 35, "failed its check", () => checked(at("pre_qa"), "failed")),
  lived("QUALITY_CHECK_FAILED", 15, "failed its check and is to be changed", () =>
    moved(checked(at("pre_qa", 50), "failed"), "changes_requested", 80, "Cite the lemma."),
  ),

  lived("READY_TO_SUBMIT", 25, "passed its check", () => checked(at("pre_qa"), "passed")),
  lived("READY_TO_SUBMIT", 10, "failed its check and was let through", () =>
    moved(checked(at("pre_qa"), "failed"), "approved", 200, "The checker misread a table."),
  ),
  lived("READY_TO_SUBMIT", 5, "has its check waived", () => waived(at("pre_qa", 90))),

  lived("SUBMITTED", 20, "waits for its output", () => advanced(checked(at("pre_qa"), "passed"))),
  lived("SUBMITTED", 40, "waits for an expert", () => submitted()),

  lived("GENERATING_OUTPUT", 30, "has its output generated", () => {
    const walk = at("output_generation", 10);
    generating(walk);
    return walk;
  }),

  lived("OUTPUT_FAILED", 20, "failed to generate", () => generationFailed(at("output_generation"))),
  lived("OUTPUT_FAILED", 10, "failed to generate twice", () =>
    generationFailed(moved(generationFailed(at("output_generation")), "queued", 40)),
  ),

  lived("IN_REVIEW", 60, "is being judged", () => moved(submitted(), "in_review", 100)),
  lived("IN_REVIEW", 10, "waits for an answer to the expert", () =>
    moved(moved(submitted(50), "in_review", 100), "awaiting_input", 15, "Is n an integer?"),
  ),
  lived("IN_REVIEW", 20, "is being judged in its second version", () =>
    moved(resubmitted(revised(submitted())), "in_review", 60),
  ),

  lived("CHANGES_REQUESTED", 35, "is to be changed", () =>
    judged(moved(submitted(), "in_review", 40), "failed", "changes_requested"),
  ),
  lived("CHANGES_REQUESTED", 15, "is to be changed once more", () => {
    const first = judged(moved(submitted(), "in_review", 40), "failed", "changes_requested");
    const second = advanced(generated(sentBack(first, "output_generation")));
    return judged(moved(second, "in_review", 30), "failed", "changes_requested");
  }),

  lived("PASSED", 60, "was approved", () => approved(submitted())),
  lived("PASSED", 30, "is being calibrated", () =>
    moved(advanced(approved(submitted(10))), "running", 25),
  ),
  lived("PASSED", 20, "was approved in its second version", () =>
    approved(resubmitted(revised(submitted()))),
  ),
  lived("PASSED", 10, "failed to be delivered", () => {
    const delivering = moved(advanced(calibrated(approved(submitted(90)))), "running", 3);
    return moved(delivering, "failed", 20, "The receiver was away.");
  }),

  lived("DELIVERED", 180, "was delivered at once", () => delivered(approved(submitted()))),
  lived("DELIVERED", 60, "was written and delivered here", () => {
    const walk = authored(noted(assigned(written(10)), "From the spring collection."));
    return delivered(approved(resubmitted(walk)));
  }),
  lived("DELIVERED", 40, "was delivered in its second version", () =>
    delivered(approved(resubmitted(revised(approved(submitted()))))),
  ),
  lived("DELIVERED", 40, "was delivered after a failed review", () => {
    const failed = judged(moved(submitted(), "in_review", 40), "failed", "changes_requested");
    return delivered(approved(moved(failed, "in_review", 300)));
  }),

  lived("REJECTED", 45, "was rejected", () =>
    judged(moved(submitted(), "in_review", 60), "failed", "rejected"),
  ),
  lived("REJECTED", 15, "was rejected and put away", () =>
    archived(moved(checked(at("pre_qa"), "failed"), "rejected", 300, "Out of scope.")),
  ),
  lived("DUPLICATE", 30, "is a duplicate", () => moved(submitted(), "duplicate", 20)),
];

/** A task that came as far as this stage elsewhere. */
function at(kind: StepKind, priority?: number): Walk {
  return imported({ kind, reason: "Moved from the old tracker." }, priority);
}

/** Its output is there, and it waits for an expert. */
function submitted(priority?: number): Walk {
  return advanced(generated(at("output_generation", priority)));
}

/** Checked and generated, from a queued check on. */
function resubmitted(walk: Walk): Walk {
  return advanced(generated(advanced(checked(walk, "passed"))));
}

function approved(walk: Walk): Walk {
  return judged(walk, "passed", "approved");
}

function calibrated(walk: Walk): Walk {
  return moved(moved(advanced(walk), "running", 30), "approved", 50);
}

function delivered(walk: Walk): Walk {
  return moved(moved(advanced(calibrated(walk)), "running", 3), "approved", 8);
}

function lived(label: UnifiedStatus, weight: number, name: string, live: () => Walk): Archetype {
  const template = live().template();
  if (template.label !== label) {
    throw new Error(`A task that ${name} is ${template.label}, not ${label}`);
  }
  return { name, weight, template };
}
