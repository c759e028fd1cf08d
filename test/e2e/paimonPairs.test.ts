import { paimonFlinks } from "../rig/paimon";
import { describePairs } from "./support/pairSuite";

for (const version of paimonFlinks) describePairs(version);
