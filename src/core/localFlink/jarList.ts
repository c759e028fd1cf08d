import * as z from "zod";

/** A list of jars as in `media/flink/<version>.json`. `path` is where it lies in a Maven repository. */
export const jarListSchema = z.lazy(() => z.object({
  version: z.string(),
  jars: z.array(z.object({
    path: z.string().regex(/^[\w.-]+(\/[\w.-]+){3,}\.jar$/).refine((path) => !path.split("/").includes("..")),
    sizeBytes: z.number().int().positive(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  })).min(1),
}));

/** A list of jars that was read and checked. */
export type JarList = z.infer<typeof jarListSchema>;
/** One jar of a list. */
export type ListedJar = JarList["jars"][number];

/** Whose jars a list names, for progress and messages: `Flink 2.2.1`, or `Paimon 1.4.2` of the list of Paimon's action command. */
export function listTitle({ version }: JarList): string {
  return version.startsWith("paimon-") ? `Paimon ${version.slice("paimon-".length)}` : `Flink ${version}`;
}

/** The file name of a listed jar. Unique within a list. */
export function jarName(jar: ListedJar): string {
  return jar.path.slice(jar.path.lastIndexOf("/") + 1);
}

/**
 * A project that depends on exactly these jars and on nothing they depend on, so that `mvn dependency:copy-dependencies` fetches them
 * with the user's own settings, mirrors and proxies.
 */
export function pomFor(jars: readonly ListedJar[]): string {
  const dependencies = jars.map((jar) => {
    const parts = jar.path.split("/");
    const [version, artifact] = [parts.at(-2) ?? "", parts.at(-3) ?? ""];
    const classifier = jarName(jar).slice(`${artifact}-${version}`.length, -".jar".length).replace(/^-/, "");
    return [
      "    <dependency>",
      `<groupId>${parts.slice(0, -3).join(".")}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>`,
      classifier === "" ? "" : `<classifier>${classifier}</classifier>`,
      "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency>",
    ].join("");
  });
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0">',
    "  <modelVersion>4.0.0</modelVersion>",
    "  <groupId>flink-savepoints</groupId><artifactId>local-flink</artifactId><version>1</version><packaging>pom</packaging>",
    "  <dependencies>",
    ...dependencies,
    "  </dependencies>",
    "</project>",
    "",
  ].join("\n");
}

/** The jar that a line of Maven's batch output says was downloaded, or undefined. */
export function downloadedJar(line: string): string | undefined {
  return /^(?:\[INFO\] )?Downloaded from [^:]+: \S*\/([^/\s]+\.jar)\s/.exec(line)?.[1];
}

/** What Maven's output says went wrong, in one line without addresses' user info; undefined when it names nothing. */
export function mavenFailure(output: string): string | undefined {
  const line = output.split("\n").find((text) => /^\[(ERROR|FATAL)\]/.test(text)) ?? output.split("\n").find((text) => text.trim() !== "");
  return line === undefined ? undefined : withoutUserInfo(line.replace(/^\[\w+\]\s*/, "")).slice(0, 500);
}

/** Addresses without user name and password. */
function withoutUserInfo(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^/\s@]*@/gi, "$1");
}

/**
 * Where Maven keeps downloaded jars on this machine: `-Dmaven.repo.local` in `MAVEN_OPTS` or `MAVEN_ARGS`, else `localRepository` in the
 * user's settings.xml, else `~/.m2/repository`.
 */
export function localRepository(settingsXml: string, home: string, env: Readonly<Record<string, string | undefined>>): string {
  const option = /-Dmaven\.repo\.local=(?:"([^"]+)"|(\S+))/.exec(`${env["MAVEN_ARGS"] ?? ""} ${env["MAVEN_OPTS"] ?? ""}`);
  if (option) return option[1] ?? option[2] ?? "";
  const element = /<localRepository>([^<]+)<\/localRepository>/.exec(settingsXml.replace(/<!--[^]*?-->/g, ""))?.[1]?.trim();
  if (element === undefined || element === "") return `${home}/.m2/repository`;
  return element.replace(/\$\{user\.home\}/g, home).replace(/\$\{env\.(\w+)\}/g, (_, name: string) => env[name] ?? "").replace(/^~(?=\/)/, home);
}
