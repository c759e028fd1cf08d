/** The file that a team commits, in a workspace folder's root; a user's own lies beside the ledger under the same name. JSON with comments. */
export const lifecycleFileName = "flink-savepoints.json";
