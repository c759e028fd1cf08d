/** A Flink version as far as it matters here; `text` keeps vendor suffixes such as `1.18.1-stream1`. */
export interface FlinkVersion {
  readonly major: number;
  readonly minor: number;
  readonly text: string;
}

/** Reads the leading `major.minor` of any Flink version text, vendor builds included; undefined when there is none. */
export function parseFlinkVersion(text: string): FlinkVersion | undefined {
  const found = /^(\d+)\.(\d+)/.exec(text);
  return found ? { major: Number(found[1]), minor: Number(found[2]), text } : undefined;
}

/** True when `version` is `major.minor` or newer. */
export function atLeast(version: FlinkVersion, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}

/**
 * What a cluster of this version can do; menus, pickers, request bodies and CLI lines follow it and nothing else asks for a version.
 * From the REST and CLI classes of Flink 1.15 to 2.3 (RestAPIVersion V1, JarRunRequestBody, CliFrontendParser).
 */
export interface Capabilities {
  /** `formatType` and a client-chosen `triggerId` in savepoint requests (1.15). Below it nothing here may trigger. */
  readonly savepointFormats: boolean;
  /** Field that carries the claim mode in a jar run request; `none` before 1.15. */
  readonly claimModeField: "none" | "restoreMode" | "claimMode";
  /** LEGACY is offered: deprecated since 1.15, gone from 2.0 on (C-30, rule 8). */
  readonly legacyClaimMode: boolean;
  /** `GET /jobs/:id/status` (1.16): the only uncached job state. */
  readonly jobStatusEndpoint: boolean;
  /** `POST /jobs/:id/checkpoints` (1.17, C-35). */
  readonly checkpointTrigger: boolean;
  /** `-detached` for `flink savepoint` and `flink stop` (1.19). */
  readonly cliDetached: boolean;
  /** The client's `-m` takes a whole address, scheme and path included (1.19); before, host and port only. */
  readonly cliTakesAddress: boolean;
  /** The configuration is standard YAML in `config.yaml` (1.19); before, it is `flink-conf.yaml` without quoting. */
  readonly standardYaml: boolean;
  /** `execution.checkpointing.savepoint-dir` instead of `state.savepoints.dir`, and `-claimMode` instead of `-restoreMode` (1.20). */
  readonly newConfigurationKeys: boolean;
  /** How arguments of `CALL` in Flink SQL are given: there is none before 1.18, and only places in it (FLIP-311, FLIP-387). */
  readonly callArguments: "none" | "places" | "names";
}

/** The capability table, by version. */
export function capabilitiesOf(version: FlinkVersion): Capabilities {
  const from = (major: number, minor: number): boolean => atLeast(version, major, minor);
  return {
    savepointFormats: from(1, 15),
    claimModeField: from(1, 20) ? "claimMode" : from(1, 15) ? "restoreMode" : "none",
    legacyClaimMode: from(1, 15) && !from(2, 0),
    jobStatusEndpoint: from(1, 16),
    checkpointTrigger: from(1, 17),
    cliDetached: from(1, 19),
    cliTakesAddress: from(1, 19),
    standardYaml: from(1, 19),
    newConfigurationKeys: from(1, 20),
    callArguments: from(1, 19) ? "names" : from(1, 18) ? "places" : "none",
  };
}
