import { java, kotlin, scala } from "./jvm/analyser";
import type { LanguageAnalyser } from "./language";
import { python } from "./python/analyser";
import { config, shell, sql } from "./text/analysers";

/** Every analyser. The one that owns a path reads it. */
export const analysers: readonly LanguageAnalyser<never>[] = [java, kotlin, scala, python, config, shell, sql] as readonly unknown[] as readonly LanguageAnalyser<never>[];
