import { describeKilledHost } from "./support/killedHostSuite";

// Three of the ten moments: what goes on in Flink without us, what must not be asked for twice, and an answer that nobody hears.
describeKilledHost([3, 6, 8], "killedHost");
