/** Code: names by which its analysers take files, whatever the editor calls their language (it knows neither Scala nor Kotlin by itself). */
const code = /\.(?:java|kts?|scala|sc|pyi?)$/;
const script = /\.(?:sh|bash|zsh|ksh|mk|ya?ml|sql|fql)$|(?:^|\/)(?:Dockerfile|Containerfile|Makefile|Jenkinsfile|justfile)(?:\.[\w-]+)?$|\.[Dd]ockerfile$/;
const build = /(?:^|\/)(?:pom\.xml|build\.gradle(?:\.kts)?|gradle\.properties|libs\.versions\.toml|build\.sbt|Dependencies\.scala|build\.sc)$/;

/** Whether a path is a build's, by which a project and its release of Flink are known. */
export function isBuildFile(path: string): boolean {
  return build.test(path);
}

/** Documents of these names are linted. It stands for the analysers where they are not loaded; a test keeps it to what they own. */
export function mayBeLinted(path: string): boolean {
  return (code.test(path) && !/\.gradle\.kts$/.test(path)) || script.test(path);
}

/** Files on disk whose change may change findings: those above, and builds, which tell Flink's version. */
export function mayMatter(path: string): boolean {
  return mayBeLinted(path) || build.test(path);
}

/** The same as a pattern of VS Code, which knows no braces within braces; somewhat wider. */
export const watchedFiles = `**/{${[
  ...["java", "kt", "kts", "scala", "sc", "py", "pyi", "sh", "bash", "zsh", "ksh", "mk", "yaml", "yml", "sql", "fql", "sbt", "gradle"].map((ending) => `*.${ending}`),
  "pom.xml", "gradle.properties", "libs.versions.toml", "*Dockerfile*", "*dockerfile", "Containerfile*", "Makefile*", "Jenkinsfile*", "justfile*",
].join(",")}}`;

/** The ending that a language's files have, for documents without a name. */
export const endingOf: Readonly<Record<string, string>> = { java: ".java", kotlin: ".kt", scala: ".scala", python: ".py", shellscript: ".sh", yaml: ".yaml", sql: ".sql", dockerfile: ".Dockerfile" };

/** Whether a text can be about Flink; the lint's thread is not started for others. */
export function speaksOfFlink(text: string): boolean {
  return /flink|paimon/i.test(text);
}
