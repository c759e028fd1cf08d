import tseslint from "typescript-eslint";

/** Type-aware rules only where the compiler is blind: a forgotten promise or Thenable, an unsafe cast, a stray console. */
export default tseslint.config(
  { ignores: ["dist/**", "node_modules/**", ".rig/**", "**/*.mjs", "**/*.cjs"] },
  ...tseslint.configs.recommended,
  {
    files: ["src/**/*.ts", "src/**/*.tsx", "test/**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": ["error", { checkThenables: true, allowForKnownSafeCalls: [{ from: "package", package: "node:test", name: ["test", "it", "describe", "suite"] }] }],
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true, named: true, defaultFrom: true, namedFrom: true, namespaceFrom: true } }],
      "no-restricted-syntax": ["error", { selector: "ImportDeclaration[source.value='zod'] ImportSpecifier", message: "import * as z: the named import bundles every locale." }],
      "no-console": "error",
      "eqeqeq": "error",
    },
  },
  { files: ["test/**/*.ts"], rules: { "no-console": "off" } },
);
