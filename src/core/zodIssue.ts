import type * as z from "zod";

/** What a value must be, as the end of a sentence without full stop: `must be at least 1`. The value itself is never quoted: it could be a secret in the wrong place. */
export function issueText(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "too_small": return issue.origin === "string" ? "must not be empty" : `must be at least ${issue.minimum}`;
    case "too_big": return `must be at most ${issue.maximum}${issue.origin === "string" ? " characters long" : ""}`;
    case "invalid_type": return issue.message.endsWith("received undefined") ? "is missing" : issue.expected === "int" ? "must be a whole number" : `must be ${/^[aeiou]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`;
    case "invalid_value": return `must be one of ${issue.values.map(String).join(", ")}`;
    default: return issue.message;
  }
}
