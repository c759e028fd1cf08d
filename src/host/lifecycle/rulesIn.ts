import { findCleanup } from "../../core/cleanup/findCleanup";
import type { FindCleanup } from "../../core/cleanup/rules";
import { clusterOf } from "../../core/lifecycle/inForce";
import type { ClusterService } from "../../services/clusters";
import type { LifecycleFiles } from "../../services/lifecycleFiles";

/** The cleanup rules of a window's files, as they are at each question. */
export function rulesIn(files: LifecycleFiles, clusters: ClusterService): FindCleanup {
  return (cluster, jobName) => {
    const known = clusters.list().filter(({ removed }) => !removed).map(({ profile }) => profile);
    return findCleanup(files.files(), (name) => clusterOf(name, known))(cluster, jobName);
  };
}
