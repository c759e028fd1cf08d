import { olderPaimons, paimonFlinks } from "../rig/paimon";
import { describePairs } from "./support/pairSuite";

for (const bundle of olderPaimons) describePairs(paimonFlinks[0], bundle);
