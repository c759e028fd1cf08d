import * as vscode from "vscode";
import type { ClusterRef } from "../../core/contributions";
import { FlinkError, isFlinkError } from "../../core/errors";
import { normaliseClusterUrl, type ClusterProfile } from "../../core/model/cluster";
import { clusterSentence, oneLine, shortReason } from "../../core/rowText";
import { countText } from "../../core/wording";
import { askAuthorityFile, askCredential } from "./credentials";
import { askInSteps } from "./steps";
import type { CommandWorld } from "./world";

/** *Add Cluster*: asks for the address and a name, connects, and saves to the user's settings. What does not connect can be saved all the same. */
export async function addCluster(world: CommandWorld): Promise<void> {
  const known = (url: string): ClusterProfile | undefined => world.settings.clusters.find((profile) => profile.url === url);
  const asked = await askInSteps("Add Flink cluster", 2, async (ask): Promise<ClusterProfile> => {
    const address = await ask.enter({
      prompt: "Address of the JobManager's REST API", placeholder: "http://localhost:8081",
      check: (text) => {
        if (text === "") return { severity: "error", text: "Nothing is entered yet." };
        const url = normaliseClusterUrl(text);
        if (url === undefined) return { severity: "error", text: text.includes("@") ? "Without user name and password: credentials are asked for when the cluster wants them." : "An address that begins with http:// or https://." };
        const twin = known(url);
        return twin === undefined ? undefined : { severity: "error", text: `This is ${oneLine(twin.name, 60)}, which is there already.` };
      },
    });
    const url = normaliseClusterUrl(address) ?? address;
    const suggestion = new URL(url).hostname;
    const name = await ask.enter({ prompt: "Name in the tree", initial: suggestion, check: (text) => (text === "" ? { severity: "error", text: "A cluster needs a name." } : undefined) });
    return { name, url };
  });
  if (asked === undefined) return;
  const profile = await untilConnected(world, asked);
  if (profile === undefined) return;
  const { name, url, caFile } = profile;
  await world.settings.addCluster({ name, url, caFile });
  await world.explorer.reveal(url);
}

/** *Remove Cluster*: takes it out of the settings; its savepoints stay in the ledger and in the tree. */
export async function removeCluster(world: CommandWorld, target?: ClusterRef): Promise<void> {
  const profile = await clusterFor(world, target, "Which cluster is removed?");
  if (profile === undefined) return;
  const levels = world.settings.levelsOf("clusters", profile.url);
  const where = levels.length === 2 ? "your user settings and the workspace's" : levels[0] === "workspace" ? "the workspace's settings" : "your user settings";
  const { origin } = new URL(profile.url);
  const shared = world.settings.clusters.some((other) => other.url !== profile.url && new URL(other.url).origin === origin);
  const secrets = !shared && (await world.credentials.get(origin)).length > 0;
  const records = (await world.ledger.all()).filter((record) => record.kind === "savepoint" && record.cluster.url === profile.url && !record.forgotten).length;
  const yes = await world.notify.confirm({
    title: `Remove ${oneLine(profile.name, 80)}?`,
    detail: [
      `${profile.url} is taken out of ${where}${secrets ? ", and the credentials stored for it are forgotten" : ""}. Nothing changes on the cluster.`,
      records === 0 ? "" : `${countText(records, "savepoint")} of it ${records === 1 ? "stays" : "stay"} in the list.`,
    ].join(" ").trim(),
    button: "Remove",
  });
  if (!yes) return;
  await world.settings.remove("clusters", profile.url);
  if (secrets) await world.credentials.delete(origin);
}

/** *Edit Clusters in Settings*: opens the list where it is written. */
export async function editClusters(): Promise<void> {
  await vscode.commands.executeCommand("workbench.action.openSettingsJson", { revealSetting: { key: "flinkSavepoints.clusters", edit: true } });
}

/** *Set Credentials*: stores what is typed for the origin of a cluster, or of a warehouse's SQL Gateway, and connects with it, or asks the gateway anew. */
export async function setCredentials(world: CommandWorld, target?: ClusterRef): Promise<void> {
  const server = await serverFor(world, target, "Which server are the credentials for?");
  if (server === undefined) return;
  const { origin } = new URL(server.url);
  const credential = await askCredential(origin);
  if (credential === undefined) return;
  await world.credentials.set(origin, credential);
  if (server.isGateway) world.explorer.refresh();
  else await reconnect(world, { cluster: server.url });
}

/** *Forget Credentials*: deletes what is stored for such an origin. */
export async function forgetCredentials(world: CommandWorld, target?: ClusterRef): Promise<void> {
  const server = await serverFor(world, target, "Which server's credentials are forgotten?");
  if (server === undefined) return;
  const { origin } = new URL(server.url);
  if ((await world.credentials.get(origin)).length === 0) return world.notify.done(`No credentials are stored for ${origin}.`);
  if (!(await world.notify.confirm({ title: `Forget the credentials for ${origin}?`, detail: "They are deleted from this machine. Nothing changes on the server.", button: "Forget" }))) return;
  await world.credentials.delete(origin);
  if (server.isGateway) world.explorer.refresh();
  else await reconnect(world, { cluster: server.url });
}

/** *Try Again*: forgets that a cluster did not answer and asks it at once. */
export async function reconnect(world: CommandWorld, target?: ClusterRef): Promise<void> {
  const profile = await clusterFor(world, target, "Which cluster is asked again?", true);
  if (profile === undefined) return;
  await world.progress.inView((run) => world.clusters.reconnect(profile.url, run.signal));
  world.explorer.refresh();
}

/** Tries to connect until that works, a person takes it as it is, or gives up (undefined). */
async function untilConnected(world: CommandWorld, first: ClusterProfile): Promise<ClusterProfile | undefined> {
  let profile = first;
  for (;;) {
    const tried = profile;
    const failure = await world.progress.inNotification(`Connecting to ${oneLine(tried.name, 80)}`, async (run) => {
      try {
        await world.clusters.test(tried, run.signal);
        return undefined;
      } catch (error) {
        if (isFlinkError(error)) return error;
        throw error;
      }
    });
    if (failure === undefined) return profile;
    world.log.warn(`${profile.url} did not connect: ${failure.code}`, failure.facts);
    const remedy = isFlinkError(failure, "unauthorized") ? "Set Credentials…" : isFlinkError(failure, "tls-failed") ? "Choose Authority File…" : "Try Again";
    const answer = await world.notify.choose({ title: `${oneLine(profile.name, 80)}: ${shortReason(failure)}`, detail: clusterSentence(failure, profile.url), buttons: [remedy, "Save Anyway"] });
    if (answer === undefined) return undefined;
    if (answer === "Save Anyway") return profile;
    if (answer === "Set Credentials…") {
      const { origin } = new URL(profile.url);
      const credential = await askCredential(origin);
      if (credential !== undefined) await world.credentials.set(origin, credential);
    } else if (answer === "Choose Authority File…") {
      const caFile = await askAuthorityFile();
      if (caFile !== undefined) profile = { ...profile, caFile };
    }
  }
}

/** A cluster, or a SQL Gateway of a warehouse, which has no row of its own: where there are any, it is asked for among both. */
async function serverFor(world: CommandWorld, target: ClusterRef | undefined, placeholder: string): Promise<{ readonly url: string; readonly isGateway: boolean } | undefined> {
  const gateways = [...new Set(world.warehouses.list().flatMap(({ sqlGateway }) => sqlGateway ?? []))].map((url) => ({ url, isGateway: true }));
  const clusters = world.clusters.list().filter(({ removed, profile }) => !removed && profile.local !== true).map(({ profile }) => profile);
  const gateway = gateways.find(({ url }) => target?.cluster === url);
  if (gateway !== undefined && !clusters.some(({ url }) => url === gateway.url)) return gateway;
  if (target === undefined && gateways.length > 0) {
    const choices = [...clusters.map(({ name, url }) => ({ label: oneLine(name, 80), description: url, value: { url, isGateway: false } })), ...gateways.map((value) => ({ label: "SQL Gateway", description: value.url, value }))];
    return askInSteps(placeholder, 1, (ask) => ask.choose({ placeholder, choices }));
  }
  const profile = await clusterFor(world, target, placeholder);
  return profile === undefined ? undefined : { url: profile.url, isGateway: false };
}

/** The cluster a verb is about; asked for when it was not told. `withLocal` offers the one of *Start Local Flink* too. */
async function clusterFor(world: CommandWorld, target: ClusterRef | undefined, placeholder: string, withLocal = false): Promise<ClusterProfile | undefined> {
  const profiles = world.clusters.list().filter(({ removed, profile }) => !removed && (withLocal || profile.local !== true)).map(({ profile }) => profile);
  if (target !== undefined) {
    // An error names the address of a request, which begins with its cluster's.
    const found = profiles.filter(({ url }) => target.cluster === url || target.cluster.startsWith(`${url}/`)).sort((a, b) => b.url.length - a.url.length)[0];
    if (found === undefined) throw new FlinkError("cluster-unknown", { cluster: target.cluster });
    return found;
  }
  if (profiles.length === 0) {
    world.notify.refused("No Flink cluster is configured yet.", [{ title: "Add Cluster…", command: "flinkSavepoints.addCluster" }]);
    return undefined;
  }
  return askInSteps(placeholder, 1, (ask) => ask.choose({ placeholder, choices: profiles.map((profile) => ({ label: oneLine(profile.name, 80), description: profile.url, value: profile })) }));
}
