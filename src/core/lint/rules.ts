/** How loud a rule is. `off` is not looked for; from which on the command line ends with 1 is its `--fail-on`. */
export type Severity = "error" | "warning" | "info" | "hint" | "off";

/** The languages and kinds of files the lint reads. */
export type LanguageId = "java" | "kotlin" | "scala" | "python" | "shell" | "config" | "sql";

/** A rule as users see it. Its page is `docs/rules/<id>.md`. */
export interface Rule {
  readonly severity: Severity;
  readonly languages: readonly LanguageId[];
  /** What it is about, in a few words. */
  readonly title: string;
}

const code = ["java", "kotlin", "scala", "python"] as const;
const jvm = ["java", "kotlin", "scala"] as const;

/** Every rule by its id. */
export const rules = {
  "missing-uid": { severity: "warning", languages: code, title: "A stateful operator has no uid" },
  "missing-uid-unproven": { severity: "off", languages: ["python"], title: "An operator that may keep state has no uid" },
  "duplicate-uid": { severity: "error", languages: code, title: "Two operators of one job have the same uid" },
  "nondeterministic-uid": { severity: "error", languages: code, title: "A uid differs from run to run" },
  "empty-uid": { severity: "error", languages: code, title: "A uid is empty" },
  "uid-on-non-operator": { severity: "error", languages: ["scala", "python"], title: "A uid on something that is no operator" },
  "lost-uid": { severity: "warning", languages: code, title: "A uid is overwritten by another one" },
  "sink-needs-uid": { severity: "error", languages: code, title: "Flink refuses this sink without a uid" },
  "uid-hash-left": { severity: "info", languages: code, title: "A uid hash stays longer than its migration" },
  "uid-hash-on-sink": { severity: "error", languages: code, title: "A uid hash on a sink that takes none" },
  "auto-uids-disabled": { severity: "error", languages: ["python"], title: "Automatic uids are disabled in a job that needs them" },
  "legacy-file-source": { severity: "info", languages: code, title: "A file source of which one half can have no uid" },
  "queryable-state": { severity: "info", languages: jvm, title: "Queryable state can have no uid" },
  "iceberg-uid-prefix": { severity: "warning", languages: jvm, title: "An Iceberg sink without a uid prefix" },
  "paimon-operator-uid-suffix": { severity: "info", languages: ["python", "sql"], title: "A Paimon table without an operator uid suffix" },
  "paimon-savepoint-tag": { severity: "info", languages: ["python", "sql", "shell"], title: "A Paimon sink without tags for savepoints" },
  "kafka-transactional-id": { severity: "error", languages: jvm, title: "An exactly-once Kafka sink without a transactional id prefix of its own" },
  "kafka-random-group-id": { severity: "warning", languages: code, title: "A Kafka group id differs from run to run" },
  "state-name-duplicate": { severity: "warning", languages: ["python"], title: "Two states of one function have the same name" },
  "state-name-nondeterministic": { severity: "error", languages: ["python"], title: "The name of a state differs from run to run" },
  "max-parallelism-unset": { severity: "hint", languages: ["python"], title: "No max parallelism is set" },
  "pyflink-keyed-reduce": { severity: "warning", languages: ["python"], title: "PyFlink never restores the state of this operator" },
  "cancel-with-savepoint": { severity: "warning", languages: ["shell"], title: "Cancel with savepoint is deprecated" },
  "legacy-claim-mode": { severity: "warning", languages: ["shell", "config", "python"], title: "Claim mode LEGACY" },
  "conflicting-keys": { severity: "warning", languages: ["config", "shell"], title: "A setting under its old and its new name" },
  "drain-in-restart": { severity: "warning", languages: ["shell"], title: "A job is drained that is to go on" },
  "auto-generate-uids": { severity: "info", languages: ["config", "shell"], title: "Automatic uids are switched off" },
  "local-savepoint-directory": { severity: "warning", languages: ["config", "shell"], title: "Savepoints on a disk of one machine" },
  "uid-generation-always": { severity: "warning", languages: ["config", "shell", "sql", "python"], title: "Uids of SQL operators are generated always" },
} as const satisfies Readonly<Record<string, Rule>>;

/** The id of a rule, such as `missing-uid`. */
export type RuleId = keyof typeof rules;

/** The rule of an id, typed as any rule. */
export function ruleOf(id: RuleId): Rule {
  return rules[id];
}

/** Whether a word is the id of a rule. */
export function isRuleId(word: string): word is RuleId {
  return Object.hasOwn(rules, word);
}

/** The order of severities, loudest first. */
export const severities: readonly Severity[] = ["error", "warning", "info", "hint", "off"];
