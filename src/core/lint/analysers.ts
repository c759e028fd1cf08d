import { java, kotlin, scala } from "./jvm/analyser";
import type { LanguageAnalyser } from "./language";

/** Every analyser. The one that owns a path reads it. */
export const analysers: readonly LanguageAnalyser<never>[] = [java, kotlin, scala] as readonly unknown[] as readonly LanguageAnalyser<never>[];
